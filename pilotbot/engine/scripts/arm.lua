-- Set or forget follow-ups of many chats of the shard from outside a turn. What they change is gathered: each call of Redis costs.
-- ARGV: for each chat: c, number, kind, address, how many; for each of these: name, due or '' to forget it, generation, 'now' or '',
--       payload.  Returns a list of 1|0
local MOST = 4000 -- values that one call is given
local done, chats, index, payloads = {}, {}, {}, {}

local function write()
  for c, chat in pairs(chats) do
    redis.call('HSET', key('chat', c), 'number', chat.number, 'kind', chat.kind, 'address', chat.address, 'timers', chat.names)
    redis.call('PEXPIRE', key('chat', c), KEEP_CHAT)
  end
  if #index > 0 then
    redis.call('ZADD', shard('timers'), unpack(index))
    redis.call('HSET', shard('timers:payload'), unpack(payloads))
  end
  chats, index, payloads = {}, {}, {}
end

-- The chat at this place of ARGV, with what is gathered of it.
local function chat_at(i)
  local c = ARGV[i]
  if not chats[c] then
    local known = redis.call('HMGET', key('chat', c), 'timers', 'generation', 'address', 'human')
    chats[c] = {
      number = ARGV[i + 1], kind = ARGV[i + 2], address = known[3] or ARGV[i + 3], names = known[1] or '', generation = known[2] or '0',
      human = known[4],
    }
  end
  return chats[c]
end

local function gather(i, name, due, generation, payload)
  local c, chat = ARGV[i], chat_at(i)
  if generation == 'now' then generation = chat.generation end
  -- The contact wrote since this was decided, or since it was done before; or a person has had the chat since.
  if generation ~= '' and generation ~= chat.generation or has_human(chat.human) then
    write()
    forget_timer(c, name)
    return true
  end
  local names = with_name(chat.names, name, TIMER_DEPTH)
  if not names then return false end
  local member, last = c .. ':' .. name, #index
  chat.names = names
  index[last + 1], index[last + 2] = due, member
  payloads[last + 1], payloads[last + 2] = member, generation .. '|' .. payload
  if last + 2 >= MOST then write() end
  return true
end

local i = 1
while i <= #ARGV do
  local at = i + 5
  for _ = 1, tonumber(ARGV[i + 4]) do
    local name, due, set = ARGV[at], ARGV[at + 1], nil
    if due == '' then
      write()
      set = forget_timer(ARGV[i], name)
    else
      set = gather(i, name, due, ARGV[at + 2], ARGV[at + 3])
    end
    table.insert(done, set and 1 or 0)
    at = at + 4
  end
  i = at
end
write()
return done
