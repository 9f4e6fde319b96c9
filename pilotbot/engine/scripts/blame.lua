-- Whether the loss of this process would be the fault of the event that is leased: not while it waits for its turn. (design 3.8)
-- ARGV: c, token, seq, 0|1.  Returns 1, or 0 where the lease is lost
local c = ARGV[1]
if not owns(c, ARGV[2]) then return 0 end
if ARGV[4] == '1' then
  redis.call('HSET', key('chat', c), 'current', ARGV[3])
else
  redis.call('HDEL', key('chat', c), 'current')
end
return 1
