-- The contact of this chat writes from another address now: what waits here for their silence is over. ARGV: c.  Returns notes
local c, notes = ARGV[1], {}
if redis.call('EXISTS', key('chat', c)) == 1 then
  redis.call('HINCRBY', key('chat', c), 'generation', 1)
  disarm(c, redis.call('HGET', key('chat', c), 'timers') or '', notes)
end
return notes
