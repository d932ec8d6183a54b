-- Asks for the pages of a catalogue of 90,000 shows, one after the other.
local page = -1
request = function()
  page = (page + 1) % 380
  return wrk.format("GET", "/shows?page=" .. page)
end
