-- The outbox lane of a chat: a list of items, first in, first out. An item is "<header JSON>\n<free><template><menu>", rendered.
-- Header: id; f, t, m = bytes of each part; w = 1 where the window is enforced; p = d|s|f, what to do when it may not go now
-- (defer, skip, fail); a = 1 where it is decided again after a late refusal; h = until when it may be held, once it was; g = the content
-- that it is a part of, r = 1 for the rest of it: the template of the first part stands for all, so the rest does not follow that.
-- The pin (o:pin) of the first item is chosen here before its first post. While the outcome of a post is unknown it never changes.

local PINNED = {'o:pin', 'o:at', 'o:in', 'o:tries', 'o:unknown'}

local function header_of(item)
  return cjson.decode(string.match(item, '^[^\n]*'))
end

local function unpin(c)
  redis.call('HDEL', key('chat', c), unpack(PINNED))
end

local function wake_lane(c, at)
  if redis.call('EXISTS', key('lane', c)) == 1 and not redis.call('ZSCORE', shard('lane:lease'), c) then
    redis.call('ZADD', shard('lane:ready'), 'NX', at, c)
  end
end

-- free, template, defer, skip or fail: the table of pilotbot.replies.choose, compared with it by a property test.
local function choose(head, open)
  if head.f > 0 and (head.w ~= 1 or open) then return 'free' end
  if head.t > 0 then return 'template' end
  if head.p == 'd' then return 'defer' end
  if head.p == 's' then return 'skip' end
  return 'fail'
end

-- For the log, the counts and the journal: what was put aside.
local function note(notes, what, c, id, reason)
  table.insert(notes, {what, id, reason, c, int(now)})
end

-- Not lost: a dead letter, and a note.
local function bury_item(c, item, reason, detail, notes)
  local id = header_of(item).id
  bury(id, cjson.encode({kind = 'send', chat = c, reason = reason, detail = detail, at = now, payload = item}))
  note(notes, 'fail', c, id, reason)
end

local function held_until(item)
  return header_of(item).h
end

-- Bury what was held too long, and say when the next is due.
local function sweep_hold(c, notes)
  local oldest = redis.call('LINDEX', key('hold', c), 0)
  while oldest and held_until(oldest) <= now do
    redis.call('LPOP', key('hold', c))
    bury_item(c, oldest, 'hold-expired', 'the contact did not write in time', notes)
    oldest = redis.call('LINDEX', key('hold', c), 0)
  end
  if oldest then
    redis.call('ZADD', shard('hold:due'), held_until(oldest), c)
  else
    redis.call('ZREM', shard('hold:due'), c)
  end
end

-- Wait outside the lane until the contact writes: bounded, and not longer for being held again.
local function hold(c, item, head, hold_ms, notes)
  sweep_hold(c, notes)
  if redis.call('LLEN', key('hold', c)) >= HOLD_DEPTH then
    bury_item(c, item, 'hold-full', 'too many messages wait for this contact', notes)
    return
  end
  if not head.h then
    head.h = now + hold_ms
    item = cjson.encode(head) .. string.match(item, '\n.*$')
  end
  redis.call('RPUSH', key('hold', c), item)
  redis.call('PEXPIRE', key('hold', c), KEEP)
  redis.call('ZADD', shard('hold:due'), 'NX', head.h, c)
  note(notes, 'defer', c, head.id, 'window-closed')
end

-- How the first part of a content went, for its rest.
local function lead_of(c, head)
  return redis.call('HGET', key('leads', c), head.g)
end

local function remember_lead(c, head, pin)
  redis.call('HSET', key('leads', c), head.g, pin)
  redis.call('PEXPIRE', key('leads', c), REMEMBER)
end

-- Lease the lane's first item that may go. `open_ms`: how long after the last inbound a first free-form post is allowed.
-- Returns {c, token, item, pin, tries, unknown, first_post_at, inbound_at_pin, number, now}, or false; and notes on what was put aside.
local function lease_lane(c, worker, lease_ms, open_ms, hold_ms, notes)
  if redis.call('ZSCORE', shard('lane:lease'), c) then return false end
  local due = redis.call('ZSCORE', shard('lane:ready'), c)
  if due and tonumber(due) > now then return false end
  local chat = key('chat', c)
  local known = redis.call('HMGET', chat, 'number', 'in', 'shut', 'o:pin', 'o:tries', 'o:unknown', 'o:at', 'o:in')
  local paused = redis.call('GET', key('paused', known[1] or ''))
  if paused and tonumber(paused) > now then
    redis.call('ZADD', shard('lane:ready'), paused, c)
    return false
  end
  local inbound, pin = known[2] or '', known[4]
  local open = inbound ~= '' and inbound ~= known[3] and now < tonumber(inbound) + open_ms
  while true do
    local item = redis.call('LINDEX', key('lane', c), 0)
    if not item then
      redis.call('ZREM', shard('lane:ready'), c)
      return false
    end
    local head = header_of(item)
    if pin == 'free' and head.w == 1 and not open and known[6] == '0' then -- no post of it can have arrived
      pin = false
      unpin(c)
    end
    if not pin then
      local verdict = choose(head, open)
      if head.r == 1 and lead_of(c, head) == 'template' then verdict = 'skip' end
      if verdict == 'free' or verdict == 'template' then
        pin = verdict
        known[5], known[6], known[7], known[8] = '0', '0', int(now), inbound
        redis.call('HSET', chat, 'o:pin', pin, 'o:at', known[7], 'o:in', inbound, 'o:tries', '0', 'o:unknown', '0')
        if head.g ~= '' and head.r ~= 1 then remember_lead(c, head, pin) end
      else
        redis.call('LPOP', key('lane', c))
        if verdict == 'defer' then
          hold(c, item, head, hold_ms, notes)
        elseif verdict == 'fail' then
          bury_item(c, item, 'window-closed', 'no template was given', notes)
        else
          note(notes, verdict, c, head.id, 'window-closed')
        end
      end
    end
    if pin then
      local token = new_token(worker)
      redis.call('ZREM', shard('lane:ready'), c)
      redis.call('ZADD', shard('lane:lease'), lease_now + lease_ms, c)
      redis.call('HSET', shard('lane:owner'), c, token)
      return {c, token, item, pin, known[5] or '0', known[6] or '0', known[7] or '0', known[8] or '', known[1] or '', int(now)}
    end
  end
end

local function owns_lane(c, token)
  return redis.call('HGET', shard('lane:owner'), c) == token
end

local function release_lane(c)
  redis.call('ZREM', shard('lane:lease'), c)
  redis.call('HDEL', shard('lane:owner'), c)
end

-- Append items, all or none, and make the lane ready. False where they have no place.
local function push(c, items)
  if redis.call('LLEN', key('lane', c)) + #items > LANE_DEPTH then return false end
  for _, item in ipairs(items) do redis.call('RPUSH', key('lane', c), item) end
  wake_lane(c, now)
  return true
end

-- The same, where what has no place must not be lost.
local function push_or_bury(c, items, notes)
  if push(c, items) then return true end
  for _, item in ipairs(items) do
    bury_item(c, item, 'lane-full', 'too many messages wait to be sent to this chat', notes)
  end
  return false
end
