-- Acquires or renews a lease, unless another process holds it that is not to be evicted.
-- KEYS[1] the lease. ARGV: holder, time to live in milliseconds, the holder to evict or ''.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
