-- Remember a message that the platform took; a status that came before the 202 was parked here and is merged now. (design 3.8)
-- ARGV: record id, platform id, chat in its short form, item id, mode, template or '', cause or '', inbound at the pin, item without its
--       menu, menu or '', 1 where it may be decided again, 1 where handlers want its content, poll_ms, 1 where others wait for its report
-- Returns the record's fields, flat
local record, content = key('record', ARGV[1]), key('content', ARGV[1])
local rank = rank_of(record)
redis.call('HSETNX', record, '0', int(now))
redis.call('HSET', record, 'chat', ARGV[3], 'i', ARGV[4])
if ARGV[5] == 'template' then redis.call('HSET', record, 'template', ARGV[6])
elseif ARGV[5] ~= 'text' then redis.call('HSET', record, 'mode', ARGV[5]) end
if ARGV[7] ~= '' then redis.call('HSET', record, 'e', ARGV[7]) end
if ARGV[14] == '1' then redis.call('HSET', record, 'leads', '1') end
local again = ARGV[11] == '1' and rank <= 2
if again then redis.call('HSET', content, 'in', ARGV[8]) end
if ARGV[12] == '1' then redis.call('HSET', content, 'kept', ARGV[9])
elseif again then redis.call('HSET', content, 'again', ARGV[9]) end
if ARGV[10] ~= '' then redis.call('SET', key('menu', ARGV[1]), ARGV[10], 'PX', KEEP) end
redis.call('PEXPIRE', record, KEEP)
redis.call('PEXPIRE', content, KEEP_CONTENT)
if rank < 2 then
  redis.call('ZADD', shard('unfinished'), 'NX', now + tonumber(ARGV[13]), ARGV[2])
end
local found = whole_record(ARGV[1])
redis.call('HDEL', content, 'ours')
return found
