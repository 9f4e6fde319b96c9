-- The outbox lane of a chat: a list of items, first in, first out. An item is "<header JSON>\n<free><template><menu>", rendered.
-- Header: id; f, t, m = bytes of each part; w = 1 where the window is enforced; p = d|s|f, what to do when it may not go now
-- (defer, skip, fail); a = 1 where it is decided again after a late refusal; h = until when it may be held, once it was; g = the content
-- that it is a part of, r = 1 for the rest of it, which goes only where the first part went free-form: a template stands for all;
-- b = 1 where a business began it: paced, and not posted after an opt-out; n = the generation of a follow-up that waits for silence;
-- o = 1 of any follow-up that fired: not posted while a person has the chat;
-- s = 1 where its template does not show its options; l = 1 where nothing else goes before it was reported sent; d = when the platform is to deliver it; x = when it is too late to post it;
-- u = u|m|a, its purpose (utility, marketing, authentication), y = 1 where that needs an opt-in; q = [start, end] of quiet hours, minutes
-- of the UTC day; k = [most, within ms] of such messages in a chat; c = the event it was said in. What is missing is 0, '', d or u.
-- The pin (o:pin) of the first item is chosen here before its first post. While the outcome of a post is unknown it never changes.
-- While a report is waited for, the chat's `gate` is "<until when> <item>".

local PINNED = {'o:pin', 'o:at', 'o:in', 'o:tries', 'o:unknown', 'o:waits', 'o:opened'}
local PURPOSES = {m = 'consent:marketing', a = 'consent:authentication'}
local TRIED = 60000 -- ms between two tries of a number that is down
local SLOWED = 4 -- times the pace of a number whose health is bad
local RECENT = 50 -- messages of a business that a chat's caps can count
local LEADS = 400 -- contents of several messages that are remembered; more than the lane and the hold can have
local SHORTLY = 60000 -- ms that a message goes to the platform before that is to deliver it: until then it can be taken back here

local function header_of(item)
  local head = cjson.decode(string.match(item, '^[^\n]*'))
  head.f, head.t, head.m, head.w, head.p, head.g = head.f or 0, head.t or 0, head.m or 0, head.w or 0, head.p or 'd', head.g or ''
  return head
end

local function unpin(c)
  redis.call('HDEL', key('chat', c), unpack(PINNED))
end

-- Of what was pinned no post can have arrived: a cap does not count it.
local function unchoose(c, id)
  unpin(c)
  redis.call('ZREM', key('recent', c), id)
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

-- Whether a person has the chat, by its field `human`: not once their time is over, also before the bot was told that it has it again.
local function has_human(stored)
  local fine, human = pcall(cjson.decode, stored or '')
  return fine and type(human) == 'table' and (tonumber(human['until']) or 0) > now
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

-- Where it is remembered what the platform calls a message that it is to deliver later; '' for one that was cancelled.
local function scheduled(id)
  return key('scheduled', string.sub(id, 1, 16))
end

-- How the first part of a content went, for its rest.
local function lead_of(c, head)
  return redis.call('HGET', key('leads', c), head.g)
end

-- Bounded: of those that nothing waits for any more none is needed.
local function remember_lead(c, head, pin)
  local leads = key('leads', c)
  if redis.call('HLEN', leads) >= LEADS then
    local waiting = {}
    for _, list in ipairs({'lane', 'hold'}) do
      for _, item in ipairs(redis.call('LRANGE', key(list, c), 0, -1)) do waiting[header_of(item).g] = true end
    end
    for _, group in ipairs(redis.call('HKEYS', leads)) do
      if not waiting[group] then redis.call('HDEL', leads, group) end
    end
  end
  redis.call('HSET', leads, head.g, pin)
  redis.call('PEXPIRE', leads, REMEMBER)
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
  local pace = redis.call('MGET', name, key('slowed', number))
  local each = tonumber(pace[2] or '0') > now and SLOWED * terms.number[1] or terms.number[1]
  local theirs = math.max(tonumber(pace[1] or '0'), now)
  local ours = math.max(tonumber(tat or '0'), now)
  local at = math.max(theirs - terms.number[2], ours - terms.chat[2])
  if at > now then return theirs > now + terms.number[2] and put_off(terms, at, terms.number[1]) or at end
  redis.call('SET', name, int(theirs + each), 'PX', int(each + terms.number[2] + 60000))
  redis.call('HSET', key('chat', c), 'pace', int(ours + gap))
  return nil
end

-- When the quiet hours end that an item falls in, by when it is to be delivered; nil where it may go. The same as
-- pilotbot.contacts.quiet.quiet_until, compared with it by a property test.
local function quiet_until(head)
  if not head.q then return nil end
  local at, start = math.max(now, head.d or 0), head.q[1] * 60000
  local since, length = (at - start) % DAY, (head.q[2] * 60000 - start) % DAY
  if since < length then return at - since + length end
  return nil
end

-- Whether the time is near that an item is to be delivered at: before that nothing is decided but what bars it.
local function is_due(head)
  return (head.d or 0) - SHORTLY <= now
end

-- Until when an item is not posted first: its quiet hours, or shortly before the platform is to deliver it; nil where it may go.
local function asleep_until(head)
  return quiet_until(head) or (not is_due(head) and head.d - SHORTLY or nil)
end

local function is_awake(head)
  return not asleep_until(head)
end

-- Of those that sleep none overtakes: the two ways to overtake would take turns for ever.
local function is_answer(head)
  return head.b ~= 1 and is_awake(head)
end

-- What may go now does not wait behind what may not yet: all such items come to the head, in their order, so that none is parted from
-- what belongs to it. False where there is none. The head itself may not.
local function overtake(c, may)
  local ahead, behind = {}, {}
  for _, item in ipairs(redis.call('LRANGE', key('lane', c), 0, -1)) do table.insert(may(header_of(item)) and ahead or behind, item) end
  if #ahead == 0 then return false end
  redis.call('DEL', key('lane', c))
  redis.call('RPUSH', key('lane', c), unpack(ahead))
  redis.call('RPUSH', key('lane', c), unpack(behind))
  return true
end

-- When the first of a lane in which all sleep wakes.
local function first_wakes(c)
  local soonest = math.huge
  for _, item in ipairs(redis.call('LRANGE', key('lane', c), 0, -1)) do
    soonest = math.min(soonest, asleep_until(header_of(item)) or now)
  end
  return soonest
end

-- What the contact decided of such messages: when, negative for yes; the later of what holds for all of them and for their purpose.
local function decided(c, head)
  local marks = redis.call('HMGET', key('chat', c), 'consent', PURPOSES[head.u] or 'consent:utility')
  local all, own = tonumber(marks[1] or '0'), tonumber(marks[2] or '0')
  return math.abs(own) > math.abs(all) and own or all
end

-- Why an item may not be posted first any more, whatever the window; nil where it may. Asked as long as no post of it can have arrived.
local function barred(c, head, generation)
  if head.n and head.n ~= tonumber(generation or '0') then return 'replied' end
  if head.b == 1 and decided(c, head) > 0 then return 'opted-out' end
  if head.o == 1 and has_human(redis.call('HGET', key('chat', c), 'human')) then return 'handed-over' end
  return nil
end

-- Why an item is left out, asked once, before it is pinned: the policies of pilotbot.replies.withheld, compared with it by a property test.
local function withheld(c, head)
  if head.x and now >= head.x then return 'too-old' end
  if head.b ~= 1 or head.u ~= 'm' then return nil end
  if head.y == 1 and decided(c, head) >= 0 then return 'no-opt-in' end
  if has_human(redis.call('HGET', key('chat', c), 'human')) then return 'handed-over' end
  return nil
end

-- Whether a chat had as many messages within the span of an item's cap as that allows. Those that have a cap are counted, each once.
-- What is decided again was counted as what it was before.
local function capped(c, head)
  local name = key('recent', c)
  if head.a == 1 or redis.call('ZSCORE', name, head.id) then return false end
  if redis.call('ZCOUNT', name, '(' .. int(now - head.k[2]), '+inf') >= head.k[1] then return true end
  return false
end

local function count_recent(c, id)
  local name = key('recent', c)
  redis.call('ZADD', name, 'NX', now, id)
  redis.call('ZREMRANGEBYRANK', name, 0, -RECENT - 1)
  redis.call('PEXPIRE', name, 91 * DAY)
end

-- What a menu is one of: its pages have one id. Written by pilotbot.replies.Menu, id first.
local function menu_of(menu)
  return string.match(menu, '^{"id":"%x+"') or menu
end

-- The options of an item are known by their labels from when it goes, see `offer_soon`. A chat's `menus` are lines, the newest first,
-- bounded; an empty one ahead of them says that something without options was said since.
local function offer(c, item, head)
  local known = redis.call('HGET', key('chat', c), 'menus') or ''
  if head.m == 0 then
    if string.find(known, '^[^\n]') then redis.call('HSET', key('chat', c), 'menus', '\n' .. known) end
    return
  end
  local menu = string.sub(item, -head.m)
  local kept, size = {menu}, 0
  for one in string.gmatch(known, '[^\n]+') do
    size = size + #one
    if #kept == MENUS or size > MENUS_MOST then break end
    if menu_of(one) ~= menu_of(menu) then table.insert(kept, one) end
  end
  redis.call('HSET', key('chat', c), 'menus', table.concat(kept, '\n'))
end

-- Those of an answer that goes free-form at once, from its commit on: the contact's next message may be there already.
local function offer_soon(c, item, open_ms)
  local head = header_of(item)
  local known = redis.call('HMGET', key('chat', c), 'in', 'shut')
  local open = known[1] and known[1] ~= known[2] and now < tonumber(known[1]) + open_ms
  if is_answer(head) and choose(head, open) == 'free' then offer(c, item, head) end
end

-- Lease the lane's first item that may go.
-- Returns {c, token, item, pin, tries, unknown, first_post_at, inbound_at_pin, number, now, bar, it tries a number that is down 0|1}, or
-- false; and notes on what was put aside. `bar` says why what may have been posted may not be posted first any more, '' where it may.
local function lease_lane(c, terms, notes)
  if redis.call('ZSCORE', shard('lane:lease'), c) then return false end
  local due = redis.call('ZSCORE', shard('lane:ready'), c)
  if due and tonumber(due) > now then return false end
  local chat = key('chat', c)
  local known = redis.call('HMGET', chat, 'number', 'in', 'shut', 'o:pin', 'o:tries', 'o:unknown', 'o:at', 'o:in', 'generation', 'gate', 'pace', 'slow')
  local paused = redis.call('MGET', key('paused', known[1] or ''), key('down', known[1] or ''))
  if paused[1] and tonumber(paused[1]) > now then
    redis.call('ZADD', shard('lane:ready'), put_off(terms, tonumber(paused[1]), 5), c)
    return false
  end
  if known[10] then
    local until_ms = tonumber(string.match(known[10], '^%d+'))
    if until_ms > now and redis.call('EXISTS', key('lane', c)) == 1 then
      redis.call('ZADD', shard('lane:ready'), until_ms, c)
      return false
    elseif until_ms <= now then
      redis.call('HDEL', chat, 'gate')
    end
  end
  local inbound, pin = known[2] or '', known[4]
  local edge = inbound ~= '' and inbound ~= known[3] and tonumber(inbound) + terms.open or 0
  while true do
    local item = redis.call('LINDEX', key('lane', c), 0)
    if not item then
      redis.call('ZREM', shard('lane:ready'), c)
      return false
    end
    local head = header_of(item)
    local open = math.max(now, head.d or 0) < edge
    local bar = barred(c, head, known[9])
    local first = head.r == 1 and lead_of(c, head) or nil -- 'free', and then the rest goes as well
    if pin and known[6] == '0' and ( -- no post of it can have arrived
      bar or (pin == 'free' and head.w == 1 and not open) or (not first and (withheld(c, head) or asleep_until(head)))
    ) then
      pin = false
      unchoose(c, head.id)
    end
    if not pin then
      local due = first or is_due(head)
      local why = bar or (due and not first and withheld(c, head)) or (first ~= 'free' and first ~= 'template' and first)
      local verdict = (why or first == 'template') and 'skip' or choose(head, open)
      local goes = due and (verdict == 'free' or verdict == 'template')
      local asleep = not why and not first and (goes or not due) and asleep_until(head)
      if goes and not asleep and head.k and not first and capped(c, head) then why, verdict, goes = 'capped', 'skip', false end
      if asleep then
        if not overtake(c, is_awake) then
          redis.call('ZADD', shard('lane:ready'), first_wakes(c), c)
          return false
        end
      elseif goes then
        local slow = tonumber(known[12] or '0') > now -- answers, too, and in their order
        local at = (slow or head.b == 1) and paced(c, known[1] or '', known[11], terms, slow and SLOW_GAP or 0)
        if at and (slow or not overtake(c, is_answer)) then
          redis.call('ZADD', shard('lane:ready'), at, c)
          return false
        elseif not at then
          pin = verdict
          if head.k and head.a ~= 1 then count_recent(c, head.id) end
          known[5], known[6], known[7], known[8] = '0', '0', int(now), inbound
          redis.call('HSET', chat, 'o:pin', pin, 'o:at', known[7], 'o:in', inbound, 'o:tries', '0', 'o:unknown', '0')
          if head.n then redis.call('HSET', chat, 'o:waits', '1') end
          if head.g ~= '' and head.r ~= 1 then remember_lead(c, head, pin) end
          if pin == 'free' or head.s ~= 1 then offer(c, item, head) end
        end
      else
        redis.call('LPOP', key('lane', c))
        if verdict == 'defer' then
          hold(c, item, head, terms.hold, notes)
        elseif verdict == 'fail' then
          bury_item(c, item, 'window-closed', 'no template was given', notes)
        else
          note(notes, verdict, c, head.id, why or 'window-closed')
        end
        if why and head.g ~= '' and head.r ~= 1 then remember_lead(c, head, why) end
      end
    end
    if pin then
      local token = new_token(terms.worker)
      redis.call('ZREM', shard('lane:ready'), c)
      redis.call('ZADD', shard('lane:lease'), lease_now + terms.lease, c)
      redis.call('HSET', shard('lane:owner'), c, token)
      if paused[2] then redis.call('SET', key('paused', known[1]), int(now + TRIED), 'PX', 2 * TRIED) end -- the others wait for this one
      return {c, token, item, pin, known[5] or '0', known[6] or '0', known[7] or '0', known[8] or '', known[1] or '', int(now), bar or '',
              paused[2] and 1 or 0}
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

-- A message that leads was reported: what waits for that may go.
local function open_gate(c, id)
  local chat = key('chat', c)
  local gate = redis.call('HGET', chat, 'gate')
  if gate and string.match(gate, ' (.*)$') == id then
    redis.call('HDEL', chat, 'gate')
    redis.call('ZADD', shard('lane:ready'), 'XX', 'LT', now, c)
    return true
  end
  local item = redis.call('LINDEX', key('lane', c), 0)
  if item and header_of(item).id == id then redis.call('HSET', chat, 'o:opened', id) end -- before it is known here that it was taken
  return false
end

-- Whether a message that waits for silence is under way right now, pinned and leased: to whom, or ''.
local function awaiting(c, waits)
  if not waits or not redis.call('ZSCORE', shard('lane:lease'), c) then return '' end
  return redis.call('HGET', shard('lane:owner'), c) or ''
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
