-- Makes the status of a run visible, unless a later revision or a later attempt is visible, or the run has ended.
-- KEYS[1] the hash and channel of the run. ARGV: attempt, revision, time to live in seconds, then field, value,
-- field, value, ...
local visible = redis.call('HMGET', KEYS[1], 'attempt', 'revision', 'state')
if visible[1] and tonumber(visible[1]) > tonumber(ARGV[1]) then return 0 end
if visible[2] and tonumber(visible[2]) >= tonumber(ARGV[2]) then return 0 end
local state = visible[3]
if state == 'succeeded' or state == 'failed' or state == 'cancelled' then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[1], ARGV[2])
return 1
