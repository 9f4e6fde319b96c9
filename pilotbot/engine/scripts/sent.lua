-- The platform took the lane's first item: remove it and lease the next. (design: send)
-- ARGV: c, token, item id, lane terms, how many ms the next waits for its report, 0 for not at all,
--       the platform's id or ''.  Returns {'ok'|'stale', lane lease or false, notes}
local c = ARGV[1]
if not owns_lane(c, ARGV[2]) then return {'stale', false, {}} end
local item = redis.call('LINDEX', key('lane', c), 0)
if not item or header_of(item).id ~= ARGV[3] then return {'stale', false, {}} end
redis.call('LPOP', key('lane', c))
local wait = tonumber(ARGV[5])
if wait > 0 and redis.call('HGET', key('chat', c), 'o:opened') ~= ARGV[3] then
  redis.call('HSET', key('chat', c), 'gate', int(now + wait) .. ' ' .. ARGV[3])
end
if ARGV[6] ~= '' and redis.call('HEXISTS', key('chat', c), 'number') == 1 then redis.call('HSET', key('chat', c), 'posted', ARGV[6]) end
unpin(c)
release_lane(c)
local notes = {}
local lease = redis.call('EXISTS', key('lane', c)) == 1 and lease_lane(c, terms_of(ARGV[4]), notes)
return {'ok', lease, notes}
