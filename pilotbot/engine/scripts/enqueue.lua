-- Put a content in a chat's lane from outside a turn, all of its items or none, once: bot.notify, a relay. (design 3.6)
-- ARGV: c, remember_ms, number, kind, address, bury where the lane is full 0|1, items.  Returns {'ok'|'dup'|'full', notes}
local c, items, notes = ARGV[1], {}, {}
for i = 7, #ARGV do table.insert(items, ARGV[i]) end
if not remember(c, 'item:' .. header_of(items[1]).id, now + tonumber(ARGV[2])) then return {'dup', notes} end
local outcome = 'ok'
if ARGV[6] == '1' then
  if not push_or_bury(c, items, notes) then outcome = 'full' end
elseif not push(c, items) then
  redis.call('ZREM', key('dedupe', c), 'item:' .. header_of(items[1]).id)
  return {'full', notes}
end
redis.call('HSET', key('chat', c), 'number', ARGV[3], 'kind', ARGV[4])
redis.call('HSETNX', key('chat', c), 'address', ARGV[5])
redis.call('PEXPIRE', key('chat', c), KEEP_CHAT)
if redis.call('HEXISTS', key('chat', c), 'moved') == 1 then redis.call('ZADD', shard('moves'), 'NX', now, c) end -- what is held moves on
return {outcome, notes}
