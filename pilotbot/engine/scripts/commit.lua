-- One step for a whole turn: state, answers and notices to other chats take effect, the event is removed. (design: commit)
-- ARGV: c, token, seq, score, keep 0|1, lease_ms, lane terms, send 0|1,
--       counts of: sets, items, relays, timers; 1 where it says nothing should a person have the chat meanwhile; then sets as field, value; items; relays as id, payload; timers as name, due, generation, payload;
--       then who has the chat: 'take', human JSON, event body | 'back', event body | 'keep': what was written is kept for a person | nothing
-- Returns {'ok'|'hushed'|'replay'|'stale', next head or false, lane lease or false, notes}
local c, token, seq, score = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local chat = key('chat', c)
local known = redis.call('HMGET', chat, 'committed', 'handled')
if not owns(c, token) then
  if known[1] == token .. '/' .. seq then return {'replay', false, false, {}} end
  return {'stale', false, false, {}}
end
-- A repeat after a lost reply, while the next event of the chat already runs under the same lease.
if known[1] == token .. '/' .. seq then
  release(c, now)
  return {'replay', false, false, {}}
end
local member = member_with(c, seq, score)
if not member then return {'stale', false, false, {}} end

local sets, items, relays, timers = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local at = 14
settle(c, member)
local set = {'committed', token .. '/' .. seq, 'handled', int(math.max(tonumber(known[2] or '0'), tonumber(score)))}
for i = at, at + 2 * sets - 1 do table.insert(set, ARGV[i]) end
redis.call('HSET', chat, unpack(set))
at = at + 2 * sets
local terms, notes = terms_of(ARGV[7]), {}
local hushed = ARGV[13] == '1' and has_human(redis.call('HGET', chat, 'human'))
local held = release_held(c, terms.open, score, notes)
for _ = 1, items do
  if hushed then
    note(notes, 'skip', c, header_of(ARGV[at]).id, 'handed-over')
  else
    if push_or_bury(c, {ARGV[at]}, notes) then offer_soon(c, ARGV[at], terms.open) end
  end
  at = at + 1
end
for _ = 1, relays do
  if hushed then
    note(notes, 'skip', c, ARGV[at], 'handed-over')
  else
    redis.call('ZADD', shard('relay'), now, ARGV[at])
    redis.call('HSET', shard('relay:items'), ARGV[at], ARGV[at + 1])
  end
  at = at + 2
end
for _ = 1, timers do
  -- The turn looked whether there is a place; what others set meanwhile may not cost it its own.
  set_timer(c, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], 2 * TIMER_DEPTH, notes)
  at = at + 4
end
if ARGV[at] == 'take' then
  take_chat(c, ARGV[at + 1], ARGV[at + 2], '', notes)
elseif ARGV[at] == 'back' then
  give_back(c, ARGV[at + 1])
elseif ARGV[at] == 'keep' or hushed then
  keep(c, string.match(member, '^%d+:%a%d*:[^:]*:(.*)$'))
end
redis.call('PEXPIRE', chat, KEEP_CHAT)

local lane = false
if (items > 0 or held) and ARGV[8] == '1' then lane = lease_lane(c, terms, notes) end
return {hushed and 'hushed' or 'ok', next_head(c, token, ARGV[5], tonumber(ARGV[6])), lane, notes}
