-- Two chats turn out to be one person's: what is kept in the one, the source, moves to the other, the target, maybe on another shard. Many
-- steps, each safe to repeat; whoever finds a move unfinished goes on with it (`moves`, in the source's shard). First nothing more is handled
-- in the target, whose field `joining` names the sources that it waits for. Then the source takes no more events in: its field `moved` says
-- where they go. Those that wait in it are handled there. What waits to be sent goes from where it is. (design 3.2)
-- ARGV: 'open', c, target, address       -> 1 where there is something to move, or 0
--       'due', n                         -> list of {c, target, address}; each is named again after a second
--       'look', c                        -> {1 while events wait or run, or 0; fields; ids known and until when; recent; kept; held; timers;
--                                           notes on what waited for their silence}
--       'wait', target, c, address, 0, counts and lists as of 'take' -> {notes}; only the ids and the waiting take effect
--       'take', target, c, address, open_ms, counts of: fields, ids, recent, kept, held, timers; then these, as 'look' gave them
--                                        -> {notes}
--       'done', c, what was held ...     -> 1 where nothing is left to move, or 0
local verb, c = ARGV[1], ARGV[2]
local OWN = {'menus', 'name', 'language', 'heard', 'timezone', 'back'} -- fields that move where the target has none, beside states
local FRESH = {'number', 'generation'} -- where it is a new chat
local HOUR, AGAIN = 3600000, 900 -- ms

if verb == 'due' then
  local found = {}
  for _, source in ipairs(redis.call('ZRANGE', shard('moves'), '-inf', now, 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[2]))) do
    redis.call('ZADD', shard('moves'), now + AGAIN, source) -- meanwhile others have their turn
    local where = redis.call('HMGET', key('chat', source), 'moving', 'moving:as')
    if where[1] then
      table.insert(found, {source, where[1], where[2] or ''})
    else
      redis.call('ZREM', shard('moves'), source) -- it was forgotten
    end
  end
  return found
end

local chat = key('chat', c)

if verb == 'open' then
  redis.call('HSET', chat, 'moving', ARGV[3], 'moving:as', ARGV[4])
  if redis.call('HEXISTS', chat, 'number') == 0 then -- nothing was ever here, and what is under way just now goes there
    redis.call('HSET', chat, 'moved', ARGV[3])
    if redis.call('HLEN', chat) == 3 then redis.call('PEXPIRE', chat, HOUR) end
    return 0
  end
  redis.call('ZADD', shard('moves'), 'NX', now, c)
  return 1
end

if verb == 'look' then
  local notes, to = {}, redis.call('HMGET', chat, 'moving', 'moved')
  if to[1] and to[1] ~= to[2] then
    redis.call('HSET', chat, 'moved', to[1])
    redis.call('HINCRBY', chat, 'generation', 1) -- they write elsewhere now
    disarm(c, redis.call('HGET', chat, 'timers') or '', notes)
  end
  local busy = redis.call('EXISTS', key('mailbox', c)) == 1 or redis.call('ZSCORE', shard('lease'), c)
  if not busy then -- follow-ups that move do not fire any more: each goes once
    for name in string.gmatch(redis.call('HGET', chat, 'timers') or '', '%S+') do
      local due = redis.call('ZSCORE', shard('timers'), c .. ':' .. name)
      redis.call('ZREM', shard('timers'), c .. ':' .. name)
      if due then redis.call('HSET', chat, 'parted:' .. name, due) end
    end
    redis.call('HDEL', chat, 'timers')
  end
  local flat, timers = redis.call('HGETALL', chat), {}
  for i = 1, #flat, 2 do
    local name = string.match(flat[i], '^parted:(.*)$')
    local payload = name and redis.call('HGET', shard('timers:payload'), c .. ':' .. name)
    if payload then
      for _, part in ipairs({name, flat[i + 1], payload}) do table.insert(timers, part) end
    end
  end
  return {
    busy and 1 or 0, flat, redis.call('ZRANGE', key('dedupe', c), 0, -1, 'WITHSCORES'),
    redis.call('ZRANGE', key('recent', c), 0, -1, 'WITHSCORES'), redis.call('LRANGE', key('kept', c), 0, -1),
    redis.call('LRANGE', key('hold', c), 0, -1), timers, notes,
  }
end

if verb == 'done' then
  for i = 3, #ARGV do redis.call('LREM', key('hold', c), 1, ARGV[i]) end
  for _, name in ipairs(redis.call('HKEYS', chat)) do
    local timer = string.match(name, '^parted:(.*)$')
    if timer then redis.call('HDEL', shard('timers:payload'), c .. ':' .. timer) end
    if timer or string.match(name, '^state:') then redis.call('HDEL', chat, name) end
  end
  redis.call('HDEL', chat, 'human', 'tags', unpack(OWN))
  redis.call('ZREM', shard('humans'), c)
  redis.call('DEL', key('kept', c), key('recent', c))
  redis.call('PEXPIRE', chat, KEEP)
  if redis.call('EXISTS', key('hold', c)) == 1 then return 0 end
  redis.call('ZREM', shard('hold:due'), c)
  if redis.call('EXISTS', key('lane', c)) == 1 then -- what goes from here may be held yet; what sleeps is not looked at meanwhile
    local at = redis.call('ZSCORE', shard('lane:ready'), c)
    if at and tonumber(at) > now + AGAIN then redis.call('ZADD', shard('moves'), at, c) end
    return 0
  end
  redis.call('ZREM', shard('moves'), c)
  return 1
end

-- In the target.
local source, at, counts, lists = ARGV[3], 12, {}, {}
for i = 6, 11 do counts[i - 5] = tonumber(ARGV[i]) end
for _, count in ipairs(counts) do
  local list = {}
  for i = at, at + count - 1 do table.insert(list, ARGV[i]) end
  table.insert(lists, list)
  at = at + count
end
local theirs, ids, recent, kept, held, timers = fields(lists[1]), lists[2], lists[3], lists[4], lists[5], lists[6]
local ours, notes = fields(redis.call('HGETALL', chat)), {}
local waits = ours.joining or ''
-- It does not wait any more: this was done, or both were forgotten since 'look', and nothing of them comes back.
if verb == 'take' and not string.find(waits, source, 1, true) then return {notes} end
for i = 1, #ids, 2 do redis.call('ZADD', key('dedupe', c), 'GT', ids[i + 1], ids[i]) end
redis.call('PEXPIRE', key('dedupe', c), KEEP)

if verb == 'wait' then
  if not string.find(waits, source, 1, true) then redis.call('HSET', chat, 'joining', waits .. source .. ' ') end
  redis.call('PEXPIRE', chat, KEEP_CHAT)
  return {notes}
end

local function set(name, value)
  ours[name] = value
  redis.call('HSET', chat, name, value)
end

local function both_tags()
  local has, tags = {}, {}
  for _, text in ipairs({ours.tags or '[]', theirs.tags}) do
    for _, tag in ipairs(cjson.decode(text)) do
      if not has[tag] then table.insert(tags, tag) end
      has[tag] = true
    end
  end
  return cjson.encode(tags)
end

local function take_fields()
  local new = not ours.number
  for name, value in pairs(theirs) do
    if string.match(name, '^state:') and not ours[name] then set(name, value) end
  end
  for _, name in ipairs(OWN) do
    if theirs[name] and not ours[name] then set(name, theirs[name]) end
  end
  if new then
    set('kind', 'contact')
    if not ours.address then set('address', ARGV[4]) end
    for _, name in ipairs(FRESH) do
      if theirs[name] and not ours[name] then set(name, theirs[name]) end
    end
  end
  if theirs.tags then set('tags', both_tags()) end
  if tonumber(theirs['in'] or '0') > tonumber(ours['in'] or '0') then -- what waited for their silence here is over, too
    set('in', theirs['in'])
    if theirs.shut then set('shut', theirs.shut) else redis.call('HDEL', chat, 'shut') end
    if not new then
      redis.call('HINCRBY', chat, 'generation', 1)
      disarm(c, ours.timers or '', notes)
    end
  end
  if has_human(theirs.human) and not has_human(ours.human) then
    set('human', theirs.human)
    redis.call('ZADD', shard('humans'), int(cjson.decode(theirs.human)['until']), c)
    for _, body in ipairs(kept) do redis.call('RPUSH', key('kept', c), body) end
    redis.call('PEXPIRE', key('kept', c), REMEMBER)
  end
  for i = 1, #recent, 2 do redis.call('ZADD', key('recent', c), 'NX', recent[i + 1], recent[i]) end
  redis.call('PEXPIRE', key('recent', c), 91 * DAY)
end

if remember(c, 'took:' .. source, now + REMEMBER) then take_fields() end
for _, item in ipairs(held) do
  local head = header_of(item)
  if remember(c, 'held:' .. head.id, now + REMEMBER) then hold(c, item, head, 0, notes) end
end
for i = 1, #timers, 3 do
  local name, due, payload = timers[i], timers[i + 1], timers[i + 2]
  if remember(c, 'timer:' .. name .. int(due), now + REMEMBER) then
    local names = redis.call('HGET', chat, 'timers') or ''
    local more = not string.find(names, name, 1, true) and with_name(names, name, 2 * TIMER_DEPTH)
    if has_human(ours.human) then
      note(notes, 'skip', c, name, 'handed-over')
    elseif more then
      redis.call('HSET', chat, 'timers', more)
      redis.call('ZADD', shard('timers'), due, c .. ':' .. name)
      redis.call('HSET', shard('timers:payload'), c .. ':' .. name, payload)
    end
  end
end
release_held(c, tonumber(ARGV[5]), '0', notes)
local left = string.gsub(waits, source .. ' ', '')
if left ~= '' then
  redis.call('HSET', chat, 'joining', left)
else
  redis.call('HDEL', chat, 'joining')
  redis.call('ZADD', shard('ready'), 'XX', 'LT', now, c)
end
redis.call('PEXPIRE', chat, KEEP_CHAT)
return {notes}
