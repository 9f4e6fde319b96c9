-- ctx.reply(now=True): an answer that leaves before the commit, once per ordinal of the event, fenced. (design 3.7)
-- ARGV: c, token, ordinal, item, lane terms, 1 where it is not said should a person have the chat meanwhile
-- Returns {'ok'|'dup'|'stale'|'full'|'hushed', lane lease or false, notes}
local c = ARGV[1]
if not owns(c, ARGV[2]) then return {'stale', false, {}} end
if redis.call('HEXISTS', key('emitted', c), ARGV[3]) == 1 then return {'dup', false, {}} end
local terms, notes = terms_of(ARGV[5]), {}
if ARGV[6] == '1' and has_human(redis.call('HGET', key('chat', c), 'human')) then
  note(notes, 'skip', c, header_of(ARGV[4]).id, 'handed-over')
  return {'hushed', false, notes}
end
release_held(c, terms.open, '0', notes)
if not push(c, {ARGV[4]}) then return {'full', false, notes} end
offer_soon(c, ARGV[4], terms.open)
redis.call('HSET', key('emitted', c), ARGV[3], '1')
redis.call('PEXPIRE', key('emitted', c), KEEP)
return {'ok', lease_lane(c, terms, notes), notes}
