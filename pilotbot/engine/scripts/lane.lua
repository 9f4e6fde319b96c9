-- The outbox lane of a chat: a list of items, first in, first out. An item is "<header JSON>\n<free><template><menu>", rendered.
-- Header: id; f, t, m = bytes of each part; w = 1 where the window is enforced; p = d|s|f, what to do when it may not go now
-- (defer, skip, fail); a = 1 where it is decided again after a late refusal; h = until when it may be held, once it was; g = the content
-- that it is a part of, r = 1 for the rest of it: the template of the first part stands for all, so the rest does not follow that;
-- b = 1 where a business began it: paced, and not posted after an opt-out; n = the generation of a follow-up that waits for silence.
-- What is missing is 0, '' or d. The pin (o:pin) of the first item is chosen here before its first post. While the outcome of a post is
-- unknown it never changes.

local PINNED = {'o:pin', 'o:at', 'o:in', 'o:tries', 'o:unknown', 'o:waits'}

local function header_of(item)
  local head = cjson.decode(string.match(item, '^[^\n]*'))
  head.f, head.t, head.m, head.w, head.p, head.g = head.f or 0, head.t or 0, head.m or 0, head.w or 0, head.p or 'd', head.g or ''
  return head
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
local function bury_item(c, item, reason, detail, notes, posts)
  local id = header_of(item).id
  bury(id, cjson.encode({kind = 'send', chat = c, reason = reason, detail = detail, at = now, payload = item, tries = posts or 0}))
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

-- The figures of a lane, as the engine gives them: "<worker> <lease_ms> <open_ms> <hold_ms> <gap> <slack> <gap> <slack>", the last four
-- of the pace of business-initiated messages: of the number in this shard, then of a chat.
local function terms_of(text)
  local all = {}
  for word in string.gmatch(text, '%S+') do table.insert(all, tonumber(word) or word) end
  return {worker = all[1], lease = all[2], open = all[3], hold = all[4], number = {all[5], all[6]}, chat = {all[7], all[8]}}
end

-- Lanes that wait for the same thing are put off one behind the other: all at once they would hide those that may go.
local function put_off(terms, at, gap)
  terms.behind = (terms.behind or 0) + 1
  return at + (terms.behind - 1) * gap
end

-- When a business-initiated message may go by its pace (GCRA: a gap after each, a slack for bursts); charged only where it may go now.
local function paced(c, number, tat, terms, least)
  local gap = math.max(terms.chat[1], least)
  local name = key('pace', number)
  local theirs = math.max(tonumber(redis.call('GET', name) or '0'), now)
  local ours = math.max(tonumber(tat or '0'), now)
  local at = math.max(theirs - terms.number[2], ours - terms.chat[2])
  if at > now then return theirs > now + terms.number[2] and put_off(terms, at, terms.number[1]) or at end
  redis.call('SET', name, int(theirs + terms.number[1]), 'PX', int(terms.number[1] + terms.number[2] + 60000))
  redis.call('HSET', key('chat', c), 'pace', int(ours + gap))
  return nil
end

-- An answer does not wait behind what a business began and may not go yet: the first one comes to the head. False where there is none.
local function answer_first(c)
  for _, item in ipairs(redis.call('LRANGE', key('lane', c), 1, -1)) do
    if header_of(item).b ~= 1 then
      redis.call('LREM', key('lane', c), 1, item)
      redis.call('LPUSH', key('lane', c), item)
      return true
    end
  end
  return false
end

-- Why an item may not be posted first any more, whatever the window; nil where it may.
local function barred(head, generation, consent)
  if head.n and head.n ~= tonumber(generation or '0') then return 'replied' end
  if head.b == 1 and consent and tonumber(consent) > 0 then return 'opted-out' end
  return nil
end

-- The options of what was not an answer are known by their labels, too, from when it goes; the newest first, bounded.
local function offer(c, item, head)
  local menu = string.sub(item, -head.m)
  local known = redis.call('HGET', key('chat', c), 'menus')
  local rest = known and known ~= '[]' and #known < MENUS_MOST and ',' .. string.sub(known, 2) or ']'
  redis.call('HSET', key('chat', c), 'menus', '[' .. menu .. rest)
end

-- Lease the lane's first item that may go.
-- Returns {c, token, item, pin, tries, unknown, first_post_at, inbound_at_pin, number, now, bar}, or false; and notes on what was put
-- aside. `bar` says why what may have been posted may not be posted first any more, '' where it may.
local function lease_lane(c, terms, notes)
  if redis.call('ZSCORE', shard('lane:lease'), c) then return false end
  local due = redis.call('ZSCORE', shard('lane:ready'), c)
  if due and tonumber(due) > now then return false end
  local chat = key('chat', c)
  local known = redis.call('HMGET', chat, 'number', 'in', 'shut', 'o:pin', 'o:tries', 'o:unknown', 'o:at', 'o:in', 'generation', 'consent', 'pace', 'slow')
  local paused = redis.call('GET', key('paused', known[1] or ''))
  if paused and tonumber(paused) > now then
    redis.call('ZADD', shard('lane:ready'), put_off(terms, tonumber(paused), 5), c)
    return false
  end
  local inbound, pin = known[2] or '', known[4]
  local open = inbound ~= '' and inbound ~= known[3] and now < tonumber(inbound) + terms.open
  while true do
    local item = redis.call('LINDEX', key('lane', c), 0)
    if not item then
      redis.call('ZREM', shard('lane:ready'), c)
      return false
    end
    local head = header_of(item)
    local bar = barred(head, known[9], known[10])
    if pin and known[6] == '0' and (bar or (pin == 'free' and head.w == 1 and not open)) then -- no post of it can have arrived
      pin = false
      unpin(c)
    end
    if not pin then
      local verdict = bar and 'skip' or choose(head, open)
      if head.r == 1 and lead_of(c, head) == 'template' then verdict = 'skip' end
      if verdict == 'free' or verdict == 'template' then
        local slow = tonumber(known[12] or '0') > now -- answers, too, and in their order
        local at = (slow or head.b == 1) and paced(c, known[1] or '', known[11], terms, slow and SLOW_GAP or 0)
        if at and (slow or not answer_first(c)) then
          redis.call('ZADD', shard('lane:ready'), at, c)
          return false
        elseif not at then
          pin = verdict
          known[5], known[6], known[7], known[8] = '0', '0', int(now), inbound
          redis.call('HSET', chat, 'o:pin', pin, 'o:at', known[7], 'o:in', inbound, 'o:tries', '0', 'o:unknown', '0')
          if head.n then redis.call('HSET', chat, 'o:waits', '1') end
          if head.g ~= '' and head.r ~= 1 then remember_lead(c, head, pin) end
          if head.b == 1 and head.m > 0 then offer(c, item, head) end
        end
      else
        redis.call('LPOP', key('lane', c))
        if verdict == 'defer' then
          hold(c, item, head, terms.hold, notes)
        elseif verdict == 'fail' then
          bury_item(c, item, 'window-closed', 'no template was given', notes)
        else
          note(notes, verdict, c, head.id, bar or 'window-closed')
        end
      end
    end
    if pin then
      local token = new_token(terms.worker)
      redis.call('ZREM', shard('lane:ready'), c)
      redis.call('ZADD', shard('lane:lease'), lease_now + terms.lease, c)
      redis.call('HSET', shard('lane:owner'), c, token)
      return {c, token, item, pin, known[5] or '0', known[6] or '0', known[7] or '0', known[8] or '', known[1] or '', int(now), bar or ''}
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

-- Append items, all or none, and make the lane ready: also one that waits for its pace, since this may be an answer. A lane that backs
-- off has a pin. False where they have no place.
local function push(c, items)
  if redis.call('LLEN', key('lane', c)) + #items > LANE_DEPTH then return false end
  for _, item in ipairs(items) do redis.call('RPUSH', key('lane', c), item) end
  wake_lane(c, now)
  if redis.call('HEXISTS', key('chat', c), 'o:pin') == 0 then redis.call('ZADD', shard('lane:ready'), 'XX', 'LT', now, c) end
  return true
end

-- Whether a message that waits for silence is under way right now, pinned and leased: to whom, or ''.
local function awaiting(c, waits)
  if not waits or not redis.call('ZSCORE', shard('lane:lease'), c) then return '' end
  return redis.call('HGET', shard('lane:owner'), c) or ''
end

-- What the contact decided: `consent` is when, negative for yes. The latest decision holds, in whatever order they come to be known.
local function mark_consent(c, at, out)
  local known = tonumber(redis.call('HGET', key('chat', c), 'consent') or '0')
  if at < math.abs(known) then return end
  redis.call('HSET', key('chat', c), 'consent', int(out and at or -at))
  redis.call('PEXPIRE', key('chat', c), KEEP_CHAT)
end

-- The same, where what has no place must not be lost.
local function push_or_bury(c, items, notes)
  if push(c, items) then return true end
  for _, item in ipairs(items) do
    bury_item(c, item, 'lane-full', 'too many messages wait to be sent to this chat', notes)
  end
  return false
end

-- Where the window is open: what waited for it goes, ahead of what is said after this. What a business began waits until the message that
-- opened the window is handled, since that may forbid it: `handled` is the time of the newest that is. Returns whether anything goes.
-- (design 3.11)
local function release_held(c, open_ms, handled, notes)
  if redis.call('EXISTS', key('hold', c)) == 0 then return false end
  local known = redis.call('HMGET', key('chat', c), 'in', 'shut')
  if not known[1] or known[1] == known[2] or now >= tonumber(known[1]) + open_ms then return false end
  sweep_hold(c, notes)
  local released, all = false, tonumber(handled) >= tonumber(known[1])
  for _, item in ipairs(redis.call('LRANGE', key('hold', c), 0, -1)) do
    if all or header_of(item).b ~= 1 then
      released = push_or_bury(c, {item}, notes) or released
      redis.call('LREM', key('hold', c), 1, item)
    end
  end
  if redis.call('EXISTS', key('hold', c)) == 0 then redis.call('ZREM', shard('hold:due'), c) end
  return released
end
