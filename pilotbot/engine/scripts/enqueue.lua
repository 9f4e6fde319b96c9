-- Put an item in a chat's lane from outside a turn, once per item id: bot.notify, a relay, a message decided again. (design 3.6)
-- ARGV: c, item id, item, remember_ms, number, kind, address, bury where the lane is full 0|1.  Returns 'ok', 'dup' or 'full'
local c, id = ARGV[1], 'item:' .. ARGV[2]
local seen = redis.call('ZSCORE', key('dedupe', c), id)
if seen and tonumber(seen) > now then return 'dup' end
local pushed = push(c, ARGV[3])
if not pushed then
  if ARGV[8] == '0' then return 'full' end
  bury_item(c, ARGV[3], 'lane-full', 'too many messages wait to be sent to this chat')
end
remember(c, id, now + tonumber(ARGV[4]))
redis.call('HSET', key('chat', c), 'number', ARGV[5], 'kind', ARGV[6])
redis.call('HSETNX', key('chat', c), 'address', ARGV[7])
redis.call('PEXPIRE', key('chat', c), KEEP_CHAT)
return pushed and 'ok' or 'full'
