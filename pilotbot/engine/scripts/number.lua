-- What is known of a number beside its posts. `causes` has, for each cause that a number can be ill of (its link, its health, its pace), what
-- was told last: "<when that happened> <since when it is so> <until when at first> <change> <why>", the change '-' where it is well. What
-- happened before does not count any more. From these follow `down`, which says why it does not send, until it is known to again: no lane of
-- it is leased, but one a minute and shard that tries, once `paused` is over; and `slowed`: until when what a business begins keeps a slower
-- pace.
-- ARGV: number, when it happened or '', change or '-', how long at first in ms, why, then the causes that this is of
-- Returns {1 where that is new, 0 for what was known, -1 for what is overtaken, since when it is so or 0 where it never was otherwise}
local number, at, change, why = ARGV[1], math.min(tonumber(ARGV[2]) or now, now), ARGV[3], ARGV[5]
local AT_MOST = 20000 -- lanes that one call looks at
local causes, until_ms = key('causes', number), now + tonumber(ARGV[4])

local function known_of(cause)
  local told = redis.call('HGET', causes, cause)
  if not told then return nil end
  local when, since, ends, what, reason = string.match(told, '^(%d+) (%d+) (%d+) (%S+) (.*)$')
  return {at = tonumber(when), since = tonumber(since), ends = tonumber(ends), change = what, why = reason}
end

local function ill(known)
  return known and known.change ~= '-' and known or nil
end

local news, since, lifted = -1, 0, false
for i = 6, #ARGV do
  local known = known_of(ARGV[i])
  if not known or at >= known.at then
    local is_new = change ~= (known and known.change or '-')
    local from = is_new and now or known and known.since or 0
    lifted = lifted or (is_new and change == '-' and ARGV[i] ~= 'pace')
    redis.call('HSET', causes, ARGV[i], table.concat({int(at), int(from), int(until_ms), change, why}, ' '))
    news, since = math.max(news, is_new and 1 or 0), math.max(since, from)
  end
end
redis.call('PEXPIRE', causes, KEEP)
if news < 0 then return {news, 0} end

local pace = ill(known_of('pace'))
if pace then redis.call('SET', key('slowed', number), int(pace.ends), 'PX', KEEP) else redis.call('DEL', key('slowed', number)) end
local down, ends = nil, 0
for _, cause in ipairs({'link', 'health'}) do
  local known = ill(known_of(cause))
  if known and known.ends > ends then down, ends = known.why, known.ends end
end
if down then redis.call('SET', key('down', number), down, 'PX', KEEP) else redis.call('DEL', key('down', number)) end
local paused = tonumber(redis.call('GET', key('paused', number)) or '0')
if lifted then redis.call('DEL', key('paused', number), key('paused-why', number)) end
if ends > now and (lifted or ends > paused) then redis.call('SET', key('paused', number), int(ends), 'PX', int(ends - now + 60000)) end
if lifted then -- what was put off until then may go, or waits for less
  local from = math.max(now, paused)
  for _, c in ipairs(redis.call('ZRANGE', shard('lane:ready'), from, '+inf', 'BYSCORE', 'LIMIT', 0, AT_MOST)) do
    if redis.call('HGET', key('chat', c), 'number') == number then redis.call('ZADD', shard('lane:ready'), now, c) end
  end
end
return {news, int(since)}
