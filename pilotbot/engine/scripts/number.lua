-- What is known of a number beside its posts. `down` says why it does not send, until it is known to again: no lane of it is leased, but one
-- a minute and shard that tries, once `paused` is over. `slowed` is until when what a business begins keeps a slower pace. `since` is when
-- the last change happened: what happened before does not count any more.
-- ARGV: 'down'|'slow'|'up', number, when it happened or '', how long at first in ms, why
-- Returns {1 where that is new, 0 for what was known, -1 for what is overtaken, until when}
local verb, number, at = ARGV[1], ARGV[2], math.min(tonumber(ARGV[3]) or now, now)
local AT_MOST = 20000 -- lanes that one call looks at
if at < tonumber(redis.call('GET', key('since', number)) or '0') then return {-1, 0} end
redis.call('SET', key('since', number), int(at), 'PX', KEEP)
local known = redis.call('MGET', key('down', number), key('slowed', number), key('paused', number))
local until_ms = now + tonumber(ARGV[4])
if verb == 'slow' then
  redis.call('SET', key('slowed', number), int(until_ms), 'PX', KEEP)
  return {(not known[2] or tonumber(known[2]) <= now) and 1 or 0, int(until_ms)}
elseif verb == 'down' then
  redis.call('SET', key('down', number), ARGV[5], 'PX', KEEP)
  until_ms = math.max(until_ms, tonumber(known[3] or '0'))
  redis.call('SET', key('paused', number), int(until_ms), 'PX', int(until_ms - now + 60000))
  return {known[1] == ARGV[5] and 0 or 1, int(until_ms)}
end
redis.call('DEL', key('down', number), key('slowed', number))
if not known[1] then return {known[2] and 1 or 0, 0} end
redis.call('DEL', key('paused', number), key('paused-why', number))
local since = math.max(now, tonumber(known[3] or '0'))
for _, c in ipairs(redis.call('ZRANGE', shard('lane:ready'), since, '+inf', 'BYSCORE', 'LIMIT', 0, AT_MOST)) do
  if redis.call('HGET', key('chat', c), 'number') == number then redis.call('ZADD', shard('lane:ready'), now, c) end
end
return {1, 0}
