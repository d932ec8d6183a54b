-- Makes a run's status visible, unless a later one is or the run has ended.
-- KEYS[1] the run's hash and channel. ARGV: revision, seconds until the hash expires, then field, value,
-- field, value, ...
local revision = tonumber(ARGV[1])
local visible = redis.call('HMGET', KEYS[1], 'revision', 'state')
if visible[1] and tonumber(visible[1]) >= revision then return 0 end
local state = visible[2]
if state == 'succeeded' or state == 'failed' or state == 'cancelled' then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
