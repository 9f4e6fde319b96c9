-- One step for a whole turn: state, answers and notices to other chats take effect, the event is removed. (design: commit)
-- ARGV: c, token, seq, score, keep 0|1, lease_ms, open_ms, hold_ms, lane worker or '', counts of: sets, items, relays; then sets as
--       field, value; items; relays as id, payload
-- Returns {'ok'|'replay'|'stale', next head or false, lane lease or false, notes}
local c, token, seq, score = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local chat = key('chat', c)
if not owns(c, token) then
  if redis.call('HGET', chat, 'committed') == token .. '/' .. seq then return {'replay', false, false, {}} end
  return {'stale', false, false, {}}
end
-- A repeat after a lost reply, while the next event of the chat already runs under the same lease.
if redis.call('HGET', chat, 'committed') == token .. '/' .. seq then
  release(c, now)
  return {'replay', false, false, {}}
end
local member = member_with(c, seq, score)
if not member then return {'stale', false, false, {}} end

local sets, items, relays = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local at = 13
settle(c, member)
redis.call('HSET', chat, 'committed', token .. '/' .. seq)
for _ = 1, sets do
  redis.call('HSET', chat, ARGV[at], ARGV[at + 1])
  at = at + 2
end
local notes = {}
for _ = 1, items do
  push_or_bury(c, {ARGV[at]}, notes)
  at = at + 1
end
for _ = 1, relays do
  redis.call('ZADD', shard('relay'), now, ARGV[at])
  redis.call('HSET', shard('relay:items'), ARGV[at], ARGV[at + 1])
  at = at + 2
end
redis.call('PEXPIRE', chat, KEEP_CHAT)

local lane = false
if items > 0 and ARGV[9] ~= '' then
  lane = lease_lane(c, ARGV[9], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), notes)
end
return {'ok', next_head(c, token, ARGV[5], tonumber(ARGV[6])), lane, notes}
