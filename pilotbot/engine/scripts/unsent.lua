-- The lane's first item did not go: post it again later with its pin kept, decide it again, or bury it. (design 3.4)
-- ARGV: c, token, item id, 'unposted'|'retry'|'again'|'drop'|'dead', delay_ms, unknown 0|1, reason, detail, posts
-- 'unposted' is no try: the number pauses, or this process stops.
-- 'again' is a definite refusal for the window: the pin is lifted, and the window shut if no newer inbound opened it.
-- 'drop' removes it: it may have been posted, and may not be posted first any more.
-- Returns 'ok' or 'stale'
local c, delay = ARGV[1], tonumber(ARGV[5])
if not owns_lane(c, ARGV[2]) then return 'stale' end
local item = redis.call('LINDEX', key('lane', c), 0)
if not item or header_of(item).id ~= ARGV[3] then return 'stale' end
local chat = key('chat', c)
release_lane(c)
local at = now
local never = ARGV[6] ~= '1' and redis.call('HGET', chat, 'o:unknown') == '0' -- no post of it can have arrived
if ARGV[4] == 'retry' then
  redis.call('HINCRBY', chat, 'o:tries', 1)
  redis.call('HSET', chat, 'o:unknown', ARGV[6])
  at = now + delay
elseif ARGV[4] == 'unposted' then
  at = now + delay
elseif ARGV[4] == 'again' then
  local known = redis.call('HMGET', chat, 'in', 'o:in')
  if known[1] and known[1] == known[2] then redis.call('HSET', chat, 'shut', known[1]) end
  if never then unchoose(c, ARGV[3]) else unpin(c) end
else
  redis.call('LPOP', key('lane', c))
  if never and ARGV[4] == 'dead' then unchoose(c, ARGV[3]) else unpin(c) end
  if ARGV[4] == 'dead' then bury_item(c, item, ARGV[7], ARGV[8], {}, tonumber(ARGV[9])) end
end
wake_lane(c, at)
return 'ok'
