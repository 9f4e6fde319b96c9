-- ctx.reply(now=True): an answer that leaves before the commit, once per ordinal of the event, fenced. (design 3.7)
-- ARGV: c, token, ordinal, item, lane terms.  Returns {'ok'|'dup'|'stale'|'full', lane lease or false, notes}
local c = ARGV[1]
if not owns(c, ARGV[2]) then return {'stale', false, {}} end
if redis.call('HEXISTS', key('emitted', c), ARGV[3]) == 1 then return {'dup', false, {}} end
local terms, notes = terms_of(ARGV[5]), {}
release_held(c, terms.open, '0', notes)
if not push(c, {ARGV[4]}) then return {'full', false, notes} end
offer(c, ARGV[4], header_of(ARGV[4]))
redis.call('HSET', key('emitted', c), ARGV[3], '1')
redis.call('PEXPIRE', key('emitted', c), KEEP)
return {'ok', lease_lane(c, terms, notes), notes}
