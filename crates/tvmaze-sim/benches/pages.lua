-- Requests the pages of a dataset of 90,000 shows in turn.
local page = -1
request = function()
  page = (page + 1) % 380
  return wrk.format("GET", "/shows?page=" .. page)
end
