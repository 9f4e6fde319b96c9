-- Keep an event: dedupe, store in the mailbox in the order of its time, move the window, let held messages go. (design: accept)
-- ARGV: c, id, message id or '', event time ms or '', kind letter, body, moves the window 0|1, depth, open_ms,
--       number, chat kind, address, name
-- Returns {'ok'|'dup'|'replaced'|'stale'|'full', wake mailbox 0|1, wake lane 0|1, notes on what was held}
local c, id, message, at, kind, body = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local moves, depth, open_ms = ARGV[7] == '1', tonumber(ARGV[8]), tonumber(ARGV[9])
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
    local seq, was, waiting = string.match(member, '^(%d+):(%a):([^:]*):')
    if was == 'r' and waiting == message and seq ~= current and untried(seq) then
      local score = redis.call('ZSCORE', box, member)
      redis.call('ZREM', box, member)
      redis.call('ZADD', box, score, seq .. ':' .. kind .. ':' .. message .. ':' .. body)
      redis.call('ZADD', seen, now + REMEMBER, id)
      return true
    end
  end
  return false
end

if known(id) or known(message) then  -- the reply may have the id of the other event, too
  if kind == 'q' and message ~= '' and replace_waiting() then return {'replaced', 0, 0, {}} end
  return {'dup', 0, 0, {}}
end
-- Older than what dedupe remembers: a capture played again, or a device's history.
if at and at < now - REMEMBER then return {'stale', 0, 0, {}} end
if redis.call('ZCARD', box) >= depth then return {'full', 0, 0, {}} end

redis.call('ZREMRANGEBYSCORE', seen, '-inf', now)
redis.call('ZADD', seen, now + REMEMBER, id)
if message ~= '' then redis.call('ZADD', seen, now + REMEMBER, message) end
redis.call('PEXPIRE', seen, KEEP)

local time = math.min(at or now, now)
local known_chat = redis.call('HMGET', chat, 'seq', 'in', 'shut')
local seq = tonumber(known_chat[1] or '0') + 1
local set = {'seq', int(seq)}
if kind ~= 's' then  -- the status of a message says nothing new of its chat
  for i, name in ipairs({'number', 'kind', 'address'}) do
    table.insert(set, name)
    table.insert(set, ARGV[9 + i])
  end
end
if ARGV[13] ~= '' then
  table.insert(set, 'name')
  table.insert(set, ARGV[13])
end
local last = tonumber(known_chat[2] or '0')
if moves and time > last then
  last = time
  table.insert(set, 'in')
  table.insert(set, int(time))
end
redis.call('HSET', chat, unpack(set))
if moves then redis.call('HINCRBY', chat, 'generation', 1) end
redis.call('PEXPIRE', chat, KEEP_CHAT)
redis.call('ZADD', box, time, string.format('%012d', seq) .. ':' .. kind .. ':' .. message .. ':' .. body)

-- The window is open again: what waited for it goes ahead of the next answer.
local woken, notes = 0, {}
if moves and now < last + open_ms and int(last) ~= known_chat[3] and redis.call('EXISTS', key('hold', c)) == 1 then
  sweep_hold(c, notes)
  for _, item in ipairs(redis.call('LRANGE', key('hold', c), 0, -1)) do
    if push_or_bury(c, {item}, notes) then woken = 1 end
  end
  redis.call('DEL', key('hold', c))
  redis.call('ZREM', shard('hold:due'), c)
end

local idle = 0
if not redis.call('ZSCORE', shard('lease'), c) then
  idle = redis.call('ZADD', shard('ready'), 'NX', now, c)
end
return {'ok', idle, woken, notes}
