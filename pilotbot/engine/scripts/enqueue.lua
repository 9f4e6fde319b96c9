-- Put an item in a chat's lane from outside a turn, once per item id: bot.notify, a relay, a message decided again. (design 3.6)
-- ARGV: c, item id, item, remember_ms, number, kind, address.  Returns 'ok', 'dup' or 'full'
local c, id = ARGV[1], 'item:' .. ARGV[2]
local seen = redis.call('ZSCORE', key('dedupe', c), id)
if seen and tonumber(seen) > now then return 'dup' end
if not push(c, ARGV[3]) then return 'full' end
remember(c, id, now + tonumber(ARGV[4]))
redis.call('HSET', key('chat', c), 'number', ARGV[5], 'kind', ARGV[6])
redis.call('HSETNX', key('chat', c), 'address', ARGV[7])
redis.call('PEXPIRE', key('chat', c), KEEP)
return 'ok'
