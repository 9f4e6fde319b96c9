-- The mailbox of a chat: a sorted set, score = the event's time, member = "<seq>:<kind and generation>:<message id>:<body>", the
-- generation being how many messages of the contact had been accepted with it. The head is read, and stays until a commit removes it. A chat with work is in `ready` or in `lease`, never in both: that is the one truth.

local function head_of(c)
  local head = redis.call('ZRANGE', key('mailbox', c), 0, 0, 'WITHSCORES')
  if #head == 0 then return nil end
  return head[1], head[2]
end

local function seq_of(member)
  return string.sub(member, 1, 12)
end

local function member_with(c, seq, score)
  for _, member in ipairs(redis.call('ZRANGE', key('mailbox', c), score, score, 'BYSCORE')) do
    if seq_of(member) == seq then return member end
  end
  return nil
end

local function owns(c, token)
  return redis.call('HGET', shard('owner'), c) == token
end

-- Lease the head to `token`; what a worker needs to run it.
local function lease_head(c, token, lease_ms)
  local member, score = head_of(c)
  redis.call('ZADD', shard('lease'), lease_now + lease_ms, c)
  redis.call('HSET', shard('owner'), c, token)
  redis.call('HSET', key('chat', c), 'current', seq_of(member))
  return {c, token, member, score, redis.call('HGETALL', key('chat', c)), int(now)}
end

-- How many events wait in all of the shard: the high-water mark is compared with it.
local function count_waiting(by)
  redis.call('INCRBY', shard('waiting'), by)
end

local function release(c, at)
  redis.call('ZREM', shard('lease'), c)
  redis.call('HDEL', shard('owner'), c)
  redis.call('HDEL', key('chat', c), 'current')
  if redis.call('EXISTS', key('mailbox', c)) == 1 then redis.call('ZADD', shard('ready'), at, c) end
end

-- Remove a settled event, whose replies may not be repeated any more.
local function settle(c, member)
  local seq = seq_of(member)
  redis.call('ZREM', key('mailbox', c), member)
  count_waiting(-1)
  redis.call('HDEL', key('chat', c), 'crashes:' .. seq, 'tries:' .. seq, 'errors:' .. seq, 'current')
  redis.call('DEL', key('emitted', c))
end

-- After an event is settled: the next one under the same lease, or the chat is let go.
local function next_head(c, token, keep, lease_ms)
  if keep == '1' and redis.call('EXISTS', key('mailbox', c)) == 1 and redis.call('HEXISTS', key('chat', c), 'joining') == 0 then
    return lease_head(c, token, lease_ms)
  end
  release(c, now)
  return false
end
