-- Remember a message that the platform took; a status that came before the 202 was parked here and is merged now. (design 3.8)
-- What is long, or of use for a while only, lies apart, in `content`: one long field makes all fields of a hash dear.
-- ARGV: record id, platform id, chat in its short form, item id, pin, inbound at the pin, item to decide again or '', menu or '', poll_ms
-- Returns the record's fields, flat
local record, content = key('message', ARGV[1]), key('content', ARGV[1])
redis.call('HSET', record, 'chat', ARGV[3], 'item', ARGV[4])
if ARGV[5] ~= 'free' then redis.call('HSET', record, 'pin', ARGV[5]) end
local rank = tonumber(redis.call('HGET', record, 'rank') or '0')
if ARGV[7] ~= '' and rank <= 2 then redis.call('HSET', content, 'again', ARGV[7], 'in', ARGV[6]) end
if ARGV[8] ~= '' then redis.call('HSET', content, 'menu', ARGV[8]) end
redis.call('PEXPIRE', record, KEEP)
redis.call('PEXPIRE', content, KEEP)
if rank < 2 then
  redis.call('ZADD', shard('unfinished'), 'NX', now + tonumber(ARGV[9]), ARGV[2])
end
return whole_record(ARGV[1])
