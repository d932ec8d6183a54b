-- Takes or renews a lease, unless a holder has it who is not known to be dead.
-- KEYS[1] the lease. ARGV: holder, milliseconds until it ends, a dead holder or ''.
local present = redis.call('GET', KEYS[1])
if present and present ~= ARGV[1] and present ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
