-- Schedules: one JSON each, by name. Changed by comparing, so that of two processes that read the same only one changes it.
-- ARGV: 'all' -> {now, {name, JSON, ...}} | 'move', name, JSON as it was read or '', new JSON or '' to forget it -> 1|0
local schedules = shard('schedules')
if ARGV[1] == 'all' then return {int(now), redis.call('HGETALL', schedules)} end
local there = redis.call('HGET', schedules, ARGV[2]) or ''
if there == ARGV[4] then return 1 end -- a repeat after a lost reply
if there ~= ARGV[3] then return 0 end
if ARGV[4] == '' then
  redis.call('HDEL', schedules, ARGV[2])
else
  redis.call('HSET', schedules, ARGV[2], ARGV[4])
  redis.call('PEXPIRE', schedules, KEEP_CHAT)
end
return 1
