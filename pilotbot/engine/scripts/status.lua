-- Merge a status into its message's record by rank: sent < failed < delivered < read, so that nothing goes backward, and a real
-- receipt wins over a time-out. Unknown messages are parked: a status may come before the 202. (design 3.8)
-- ARGV: record id, platform id, rank, error code or '', cost or '', body for the handlers or '', pointer to this record in its short form
--       or '', then the ranks that are told of, each with its time or ''
-- Returns {advanced 0|1, record fields flat}
local record, content = key('record', ARGV[1]), key('content', ARGV[1])
local rank = tonumber(ARGV[3])
local before = rank_of(record)
local advanced = rank > before
redis.call('HSETNX', record, '0', int(now))
local since = tonumber(redis.call('HGET', record, '0'))
for i = 8, #ARGV, 2 do
  redis.call('HSETNX', record, ARGV[i], int(math.min(tonumber(ARGV[i + 1]) or now, now) - since))
end
if ARGV[4] ~= '' then redis.call('HSETNX', record, 'code', ARGV[4]) end
if ARGV[5] ~= '' then redis.call('HSET', record, 'cost', ARGV[5]) end
local ours = redis.call('HEXISTS', record, 'chat') == 1
if not ours then
  if ARGV[7] ~= '' then redis.call('HSET', content, 'ours', ARGV[7]) end
  if rank >= before and ARGV[6] ~= '' then redis.call('HSET', content, 'parked:' .. ARGV[3], ARGV[6]) end
  redis.call('PEXPIRE', content, PARKED)
end
if advanced and rank > 1 then
  redis.call('ZREM', shard('unfinished'), ARGV[2])
  redis.call('HDEL', shard('unfinished:asked'), ARGV[2])
  if rank > 2 then redis.call('HDEL', content, 'again', 'in') end
end
redis.call('PEXPIRE', record, ours and KEEP or PARKED)
return {advanced and 1 or 0, whole_record(ARGV[1])}
