-- Forget a chat: everything goes but `gone`, when that was, by which older events are known that come later. (design 3.13)
-- 'stop' leaves what is being posted right now, which nobody can call back; 'rest' is for when that is settled. A turn that runs is stale.
-- ARGV: c, 'stop' | 'rest', id of the item that was being posted
-- Returns {token of the lane that is posting, its item's id}, '' where none is
local c, chat, lane = ARGV[1], key('chat', ARGV[1]), key('lane', ARGV[1])

local function drop_timers()
  for name in string.gmatch(redis.call('HGET', chat, 'timers') or '', '%S+') do
    redis.call('ZREM', shard('timers'), c .. ':' .. name)
    redis.call('HDEL', shard('timers:payload'), c .. ':' .. name)
  end
  for _, field in ipairs(redis.call('HKEYS', chat)) do -- those that a move of this chat has taken from the timers already
    local name = string.match(field, '^parted:(.*)$')
    if name then redis.call('HDEL', shard('timers:payload'), c .. ':' .. name) end
  end
end

local function drop_echoes()
  for _, member in ipairs(redis.call('ZRANGE', shard('echoes'), 0, -1)) do
    if string.sub(member, 1, #c + 1) == c .. ':' then
      redis.call('ZREM', shard('echoes'), member)
      redis.call('HDEL', shard('echoes:payload'), member)
    end
  end
end

-- The chat with nothing but when it was forgotten, and such fields.
local function only(gone, fields_left)
  redis.call('DEL', chat)
  redis.call('HSET', chat, 'gone', gone, unpack(fields_left))
  redis.call('PEXPIRE', chat, REMEMBER)
end

if ARGV[2] == 'rest' then
  local head = redis.call('LINDEX', lane, 0)
  if head and header_of(head).id == ARGV[3] then
    redis.call('LPOP', lane)
    release_lane(c)
    redis.call('ZREM', shard('lane:ready'), c)
    wake_lane(c, now)
  end
  unpin(c)
  if redis.call('HEXISTS', chat, 'kind') == 0 then only(redis.call('HGET', chat, 'gone') or int(now), {}) end
  return {'', ''}
end

local token = redis.call('HGET', shard('lane:owner'), c) or ''
local head = token ~= '' and redis.call('LINDEX', lane, 0)
drop_timers()
drop_echoes()
count_waiting(-redis.call('ZCARD', key('mailbox', c)))
for _, kind in ipairs({'mailbox', 'dedupe', 'emitted', 'hold', 'leads', 'kept', 'recent'}) do redis.call('DEL', key(kind, c)) end
for _, set in ipairs({'ready', 'lease', 'hold:due', 'humans', 'moves'}) do redis.call('ZREM', shard(set), c) end
redis.call('HDEL', shard('owner'), c)
local left = {}
if head then
  redis.call('LTRIM', lane, 0, 0)
  for _, name in ipairs({'number', unpack(PINNED)}) do
    local value = redis.call('HGET', chat, name)
    if value then
      table.insert(left, name)
      table.insert(left, value)
    end
  end
else
  redis.call('DEL', lane)
  for _, set in ipairs({'lane:ready', 'lane:lease'}) do redis.call('ZREM', shard(set), c) end
  redis.call('HDEL', shard('lane:owner'), c)
end
only(int(now), left)
return {head and token or '', head and header_of(head).id or ''}
