-- Take messages back that were not posted yet, out of a chat's lane and hold.
-- What was taken back is remembered, so that a second call says the same; of what was posted to be delivered later the platform's id is
-- known, as long as it can be cancelled there.
-- ARGV: c, item ids.  Returns for each {'cancelled'|'posted'|'busy'|'gone', the platform's id where posted, the lane's token where busy, '')
local c, found = ARGV[1], {}
local lane, chat = key('lane', c), key('chat', c)

local function place_of(list, id)
  for place, item in ipairs(redis.call('LRANGE', list, 0, -1)) do
    if header_of(item).id == id then return place, item end
  end
  return nil
end

local function take(id)
  local known = redis.call('GET', scheduled(id))
  if known then return known == '' and {'cancelled', ''} or {'posted', known} end
  local list, place, item = lane, place_of(lane, id)
  if not item then
    list = key('hold', c)
    place, item = place_of(list, id)
  end
  if not item then return {'gone', ''} end
  if list == lane and place == 1 and redis.call('HEXISTS', chat, 'o:pin') == 1 then
    if redis.call('ZSCORE', shard('lane:lease'), c) then return {'busy', redis.call('HGET', shard('lane:owner'), c) or ''} end
    if redis.call('HGET', chat, 'o:unknown') == '1' then return {'gone', ''} end -- it may have been posted
    unchoose(c, id)
    redis.call('ZADD', shard('lane:ready'), 'XX', 'LT', now, c)
  end
  redis.call('LREM', list, 1, item)
  if redis.call('EXISTS', list) == 0 then redis.call('ZREM', shard(list == lane and 'lane:ready' or 'hold:due'), c) end
  redis.call('SET', scheduled(id), '', 'PX', REMEMBER)
  return {'cancelled', ''}
end

for i = 2, #ARGV do table.insert(found, take(ARGV[i])) end
return found
