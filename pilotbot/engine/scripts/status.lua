-- Merge a status into its message's record by rank: sent < failed < delivered < read, so that nothing goes backward, and a real
-- receipt wins over a time-out. Unknown messages are parked: a status may come before the 202. (design 3.8)
-- ARGV: record id, platform id, rank, error code or '', body for the handlers or ''
-- Returns {advanced 0|1, record fields flat}
local record, content = key('message', ARGV[1]), key('content', ARGV[1])
local rank = tonumber(ARGV[3])
local advanced = 0
if rank > tonumber(redis.call('HGET', record, 'rank') or '0') then
  advanced = 1
  redis.call('HSET', record, 'rank', ARGV[3])
  if ARGV[4] ~= '' then redis.call('HSET', record, 'code', ARGV[4]) else redis.call('HDEL', record, 'code') end
  if ARGV[5] ~= '' and redis.call('HEXISTS', record, 'chat') == 0 then
    redis.call('HSET', content, 'parked:' .. ARGV[3], ARGV[5])
    redis.call('PEXPIRE', content, KEEP)
  end
  if rank > 1 then
    redis.call('ZREM', shard('unfinished'), ARGV[2])
    redis.call('HDEL', shard('unfinished:asked'), ARGV[2])
    if rank > 2 then redis.call('HDEL', content, 'again', 'in') end
  end
end
redis.call('PEXPIRE', record, KEEP)
return {advanced, whole_record(ARGV[1])}
