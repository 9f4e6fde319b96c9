-- A turn that did not succeed: try the event again later, in its place, or put it with the dead letters and go on. (design 3.9)
-- ARGV: c, token, seq, score, 'retry', delay_ms, 'tries'|'errors'|'' | 'dead', 0, letter id, letter JSON, keep 0|1, lease_ms,
--       open_ms.  Returns {'ok'|'stale', next head or false, notes}
local c, token, seq, score = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not owns(c, token) then return {'stale', false, {}} end
local member = member_with(c, seq, score)
if not member then return {'stale', false, {}} end
if ARGV[5] == 'retry' then
  if ARGV[7] ~= '' then redis.call('HINCRBY', key('chat', c), ARGV[7] .. ':' .. seq, 1) end
  release(c, now + tonumber(ARGV[6]))
  return {'ok', false, {}}
end
settle(c, member)
bury(ARGV[7], ARGV[8])
local notes = {}
release_held(c, tonumber(ARGV[11]), score, notes)
return {'ok', next_head(c, token, ARGV[9], tonumber(ARGV[10])), notes}
