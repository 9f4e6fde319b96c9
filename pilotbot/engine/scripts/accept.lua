-- Keep an event: dedupe, store in the mailbox in the order of its time, move the window, disarm follow-ups. (design: accept)
-- ARGV: c, id, message id or '', event time ms or '', kind letter, body, moves the window 0|1, depth, open_ms,
--       number, chat kind, address, name, old_ms or 0, what is old is handled 0|1, only the window and the record 0|1,
--       high-water mark of the shard, gap and slack between messages of one contact
-- Returns {'ok'|'dup'|'replaced'|'old'|'noted'|'stale'|'forgotten'|'full'|'busy'|'flood', wake mailbox 0|1, wake lane 0|1,
--          notes on what was held or disarmed, token of a lane whose message must not be posted first after this, or '', the chat is new 0|1}
--      or {'moved', 0, 0, {}, the chat that it is taken in by, 0}
local c, id, message, at, kind, body = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local moves, depth, open_ms = ARGV[7] == '1', tonumber(ARGV[8]), tonumber(ARGV[9])
local old_ms, gap, slack = tonumber(ARGV[14]), tonumber(ARGV[18]), tonumber(ARGV[19])
local chat, box, seen = key('chat', c), key('mailbox', c), key('dedupe', c)

local function known(name)
  if name == '' then return false end
  local until_ms = redis.call('ZSCORE', seen, name)
  return until_ms and tonumber(until_ms) > now
end

local function untried(seq)
  local marks = redis.call('HMGET', chat, 'crashes:' .. seq, 'tries:' .. seq, 'errors:' .. seq)
  return not (marks[1] or marks[2] or marks[3])
end

-- message.reply says more than the message.received of the same message: it takes its place while that one waits, never yet tried.
local function replace_waiting()
  local current = redis.call('HGET', chat, 'current')
  for _, member in ipairs(redis.call('ZRANGE', box, 0, -1)) do
    local seq, was, generation, waiting = string.match(member, '^(%d+):(%a)(%d*):([^:]*):')
    if was == 'r' and waiting == message and seq ~= current and untried(seq) then
      local score = redis.call('ZSCORE', box, member)
      redis.call('ZREM', box, member)
      redis.call('ZADD', box, score, seq .. ':' .. kind .. generation .. ':' .. message .. ':' .. body)
      redis.call('ZADD', seen, now + REMEMBER, id)
      return true
    end
  end
  return false
end

-- A note of a message whose content is hidden is remembered apart: the message itself may still come, and is handled then.
local note_only, note = ARGV[16] == '1', 'note:' .. id
if known(id) or known(message) or note_only and known(note) then  -- the reply may have the id of the other event, too
  local outcome = 'dup'
  if kind == 'q' and message ~= '' and not note_only and replace_waiting() then outcome = 'replaced' end
  return {outcome, 0, 0, {}, moves and awaiting(c, redis.call('HGET', chat, 'o:waits')) or '', 0}
end
-- Older than what dedupe remembers: a capture played again, or a device's history.
if at and at < now - REMEMBER then return {'stale', 0, 0, {}, '', 0} end
local known_chat = redis.call('HMGET', chat, 'seq', 'in', 'shut', 'flood', 'o:waits', 'timers', 'generation', 'gone', 'kind', 'moved', 'address')
if known_chat[10] then return {'moved', 0, 0, {}, known_chat[10], 0} end
local gone = tonumber(known_chat[8] or '-1')
if math.min(at or now, now) <= gone then return {'forgotten', 0, 0, {}, '', 0} end
if kind == 's' and known_chat[8] and not known_chat[9] then return {'stale', 0, 0, {}, '', 0} end
local old = at and old_ms > 0 and at < now - old_ms
local kept = not note_only and (not old or ARGV[15] == '1')
if kept and redis.call('ZCARD', box) >= depth then return {'full', 0, 0, {}, '', 0} end
if kept and tonumber(redis.call('GET', shard('waiting')) or '0') >= tonumber(ARGV[17]) then return {'busy', 0, 0, {}, '', 0} end
local flood = math.max(tonumber(known_chat[4] or '0'), now)
if moves and flood - slack > now then return {'flood', 0, 0, {}, '', 0} end

redis.call('ZREMRANGEBYSCORE', seen, '-inf', now)
redis.call('ZADD', seen, now + REMEMBER, note_only and note or id)
if message ~= '' and not note_only then redis.call('ZADD', seen, now + REMEMBER, message) end
redis.call('PEXPIRE', seen, KEEP)

local time = math.min(at or now, now)
local seq = tonumber(known_chat[1] or '0') + 1
local set = {'seq', int(seq)}
if kind ~= 's' then  -- the status of a message says nothing new of its chat
  for i, name in ipairs({'number', 'kind', 'address'}) do
    -- A phone that is known stays what we write to, also where its contact writes under a BSUID.
    local phone = name == 'address' and string.sub(known_chat[11] or '', 1, 1) == '+' and string.sub(ARGV[12], 1, 1) ~= '+'
    table.insert(set, name)
    table.insert(set, phone and known_chat[11] or ARGV[9 + i])
  end
end
if ARGV[13] ~= '' then
  table.insert(set, 'name')
  table.insert(set, ARGV[13])
end
local last = tonumber(known_chat[2] or '0')
if moves then
  table.insert(set, 'flood')
  table.insert(set, int(flood + gap))
end
if moves and time > last then
  last = time
  table.insert(set, 'in')
  table.insert(set, int(time))
end
redis.call('HSET', chat, unpack(set))
local notes, generation = {}, tonumber(known_chat[7] or '0')
if moves and not old then
  generation = redis.call('HINCRBY', chat, 'generation', 1)
  disarm(c, known_chat[6] or '', notes)
end
redis.call('PEXPIRE', chat, KEEP_CHAT)
if kept then
  redis.call('ZADD', box, time, string.format('%012d', seq) .. ':' .. (old and 'o' or kind) .. int(generation) .. ':' .. message .. ':' .. body)
  count_waiting(1)
end

local woken = moves and release_held(c, open_ms, kept and '0' or int(now), notes) and 1 or 0
local idle = 0
if kept and not redis.call('ZSCORE', shard('lease'), c) then
  idle = redis.call('ZADD', shard('ready'), 'NX', now, c)
end
local outcome = kept and 'ok' or note_only and 'noted' or 'old'
return {outcome, idle, woken, notes, moves and not old and awaiting(c, known_chat[5]) or '', known_chat[1] and 0 or 1}
