-- Takes one of limit places, after giving back those that the asker has left. KEYS: the holders (sorted set by end).
local now, limit, holder, til, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
for i = 6, #ARGV do
	redis.call('ZREM', KEYS[1], ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= limit then
	return 0
end
redis.call('ZADD', KEYS[1], til, holder)
redis.call('PEXPIRE', KEYS[1], keep)
return 1
