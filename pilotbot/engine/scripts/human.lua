-- A person has a chat: its field `human` is JSON {queue, note, since, until, by}, and `humans` holds it by when its time is over. While that is
-- so, what the contact writes is kept (`kept`, what the person wrote, too: "<when> <body>") in place of being handled, and no follow-up
-- waits. `held` is since when the last person has, or had, the chat; `back` when the bot last got it again: what a person wrote before does
-- not take it once more. (design 3.10, 3.14)

local KEPT = 50

-- An event that the bot makes itself, put behind what waits in the chat's mailbox.
local function tell_self(c, body)
  local chat = key('chat', c)
  local seq = redis.call('HINCRBY', chat, 'seq', 1)
  local generation = redis.call('HGET', chat, 'generation') or '0'
  redis.call('ZADD', key('mailbox', c), now, string.format('%012d', seq) .. ':e' .. generation .. '::' .. body)
  count_waiting(1)
  if not redis.call('ZSCORE', shard('lease'), c) then redis.call('ZADD', shard('ready'), 'NX', now, c) end
end

-- Keep what was written while a person has the chat, the newest.
local function keep(c, body)
  redis.call('RPUSH', key('kept', c), int(now) .. ' ' .. body)
  redis.call('LTRIM', key('kept', c), -KEPT, -1)
  redis.call('PEXPIRE', key('kept', c), REMEMBER)
end

-- A person has the chat from now on, until so long; where one has it already, that is until later, and a queue of its own replaces theirs.
-- `seen` is the body of what they were seen to write, '' where somebody gave them the chat. Returns 'taken' or 'extended'.
local function take_chat(c, human, body, seen, notes)
  local chat, wanted = key('chat', c), cjson.decode(human)
  local known = redis.call('HMGET', chat, 'human', 'timers')
  local has = has_human(known[1]) and cjson.decode(known[1])
  local outcome = 'taken'
  if has then
    if has.queue == wanted.queue or seen ~= '' then outcome = 'extended' end
    wanted['until'], wanted.since = math.max(wanted['until'], seen ~= '' and has['until'] or 0), has.since
    if seen ~= '' then wanted.queue, wanted.note, wanted.by = has.queue, has.note, has.by end
    human = cjson.encode(wanted)
  else -- what was kept before stays: the handlers of that time's end may be running
    redis.call('HSET', chat, 'held', int(now))
  end
  redis.call('HSET', chat, 'human', human)
  redis.call('PEXPIRE', chat, KEEP_CHAT)
  redis.call('ZADD', shard('humans'), int(wanted['until']), c)
  for name in string.gmatch(known[2] or '', '%S+') do
    forget_timer(c, name)
    note(notes, 'skip', c, name, 'handed-over')
  end
  if seen ~= '' then keep(c, seen) end
  if outcome == 'taken' then tell_self(c, body) end
  return outcome
end

-- The bot has the chat again. False where it had it.
local function give_back(c, body)
  redis.call('ZREM', shard('humans'), c)
  if redis.call('HDEL', key('chat', c), 'human') == 0 then return false end
  redis.call('HSET', key('chat', c), 'back', int(now))
  tell_self(c, body)
  return true
end
