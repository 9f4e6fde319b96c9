-- Merge a status into its message's record by rank: sent < failed < delivered < read, so that nothing goes backward, and a real
-- receipt wins over a time-out. Unknown messages are parked: a status may come before the 202. (design 3.8)
-- ARGV: record id, platform id, rank, status, error code, message id, body for the handlers or ''
-- Returns {advanced 0|1, record fields flat}
local record = key('message', ARGV[1])
local rank = tonumber(ARGV[3])
local advanced = 0
if rank > tonumber(redis.call('HGET', record, 'rank') or '0') then
  advanced = 1
  redis.call('HSET', record, 'rank', ARGV[3], 'status', ARGV[4], 'code', ARGV[5], 'at', int(now))
  if ARGV[7] ~= '' and redis.call('HEXISTS', record, 'chat') == 0 then redis.call('HSET', record, 'parked:' .. ARGV[3], ARGV[7]) end
  if rank > 1 then
    redis.call('ZREM', shard('unfinished'), ARGV[2])
    redis.call('HDEL', shard('unfinished:asked'), ARGV[2])
    if ARGV[4] ~= 'failed' then redis.call('HDEL', record, 'again') end
  end
end
if ARGV[6] ~= '' then redis.call('HSET', record, 'message', ARGV[6]) end
redis.call('PEXPIRE', record, KEEP)
return {advanced, redis.call('HGETALL', record)}
