-- Follow-ups: what is to be sent later, in one index for the shard. `timers` holds "<c>:<name>" by when it is due, `timers:payload` what it
-- is, and the chat's field `timers` the names, 8 characters and a blank each. Payload: "<generation>|<late>|<before>|<key>\n<items>": the
-- generation where it waits for silence, else ''; late = r|s|c, what to do when it comes late (run, skip, coalesce); before = ms before the
-- window closes, where that is when it is due; items as in the lane, without id and destination.

local function forget_timer(c, name)
  local chat = key('chat', c)
  local names = redis.call('HGET', chat, 'timers') or ''
  local at = string.find(names, name, 1, true)
  if at then redis.call('HSET', chat, 'timers', string.sub(names, 1, at - 1) .. string.sub(names, at + #name + 1)) end
  redis.call('HDEL', shard('timers:payload'), c .. ':' .. name)
  return redis.call('ZREM', shard('timers'), c .. ':' .. name) == 1
end

-- The contact wrote: what waited for silence is gone, in the step that accepts it.
local function disarm(c, names, notes)
  for name in string.gmatch(names, '%S+') do
    if string.sub(redis.call('HGET', shard('timers:payload'), c .. ':' .. name) or '|', 1, 1) ~= '|' then
      forget_timer(c, name)
      note(notes, 'skip', c, name, 'replied')
    end
  end
end

-- A chat's names with this one; nil where there is no place for it.
local function with_name(names, name, most)
  if string.find(names, name, 1, true) then return names end
  if #names >= most * (#name + 1) then return nil end
  return names .. name .. ' '
end

-- Set a timer, or set it anew under its name; forget it where due is ''. False where there is no place for it, or nothing to forget.
local function set_timer(c, name, due, generation, payload, most, notes)
  if due == '' then return forget_timer(c, name) end
  local chat = key('chat', c)
  local known = redis.call('HMGET', chat, 'timers', 'generation', 'human')
  local names = known[1] or ''
  if has_human(known[3]) then
    forget_timer(c, name)
    note(notes, 'skip', c, name, 'handed-over')
    return true
  end
  if generation ~= '' and generation ~= (known[2] or '0') then -- the contact wrote before this came to be
    forget_timer(c, name)
    note(notes, 'skip', c, name, 'replied')
    return true
  end
  local more = with_name(names, name, most)
  if not more then return false end
  if more ~= names then redis.call('HSET', chat, 'timers', more) end
  redis.call('ZADD', shard('timers'), due, c .. ':' .. name)
  redis.call('HSET', shard('timers:payload'), c .. ':' .. name, generation .. '|' .. payload)
  return true
end
