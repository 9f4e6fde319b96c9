-- A message that the platform refused late for the window: shut the window, and queue the content once more. (design 3.5)
-- ARGV: c, inbound at the pin, new item id, new item.  Returns 'ok', 'dup' or 'full'
local c, id = ARGV[1], 'item:' .. ARGV[3]
local seen = redis.call('ZSCORE', key('dedupe', c), id)
if seen and tonumber(seen) > now then return 'dup' end
if (redis.call('HGET', key('chat', c), 'in') or '') == ARGV[2] and ARGV[2] ~= '' then
  redis.call('HSET', key('chat', c), 'shut', ARGV[2])
end
remember(c, id, now + REMEMBER)
if push(c, ARGV[4]) then return 'ok' end
bury_item(c, ARGV[4], 'lane-full', 'too many messages wait to be sent to this chat')
return 'full'
