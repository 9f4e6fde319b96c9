-- WhatsApp limits the rate to this contact: for a while all that is sent to it keeps its pace, answers too, and no burst is left.
-- ARGV: c, how long in ms, lane terms
local chat, pace = key('chat', ARGV[1]), terms_of(ARGV[3]).chat
local forgotten = redis.call('HMGET', chat, 'gone', 'number')
if forgotten[1] and not forgotten[2] then return 'none' end
local taken = tonumber(redis.call('HGET', chat, 'pace') or '0')
redis.call('HSET', chat, 'slow', int(now + tonumber(ARGV[2])), 'pace', int(math.max(taken, now + math.max(pace[1], SLOW_GAP) + pace[2])))
redis.call('PEXPIRE', chat, KEEP_CHAT)
return 'ok'
