-- Follow-ups that are due move to their lanes: at once and in one step, so that no lease is needed, and none fires twice. (design 3.12)
-- ARGV: n, open_ms, late_ms: how late is late.  Returns {how many were due, notes}
local open_ms, late_ms, notes = tonumber(ARGV[2]), tonumber(ARGV[3]), {}

-- Whether a later one of the same chat, due as well, stands for it.
local function stood_for(c, name, due, names)
  for other in string.gmatch(names, '%S+') do
    local at = tonumber(redis.call('ZSCORE', shard('timers'), c .. ':' .. other) or 'inf')
    if at <= now and (at > due or (at == due and other > name)) then
      -- Not one that may be moved, for being due before a window closes.
      if string.match(redis.call('HGET', shard('timers:payload'), c .. ':' .. other) or '', '^[^|]*|c||') then return true end
    end
  end
  return false
end

-- An item as the lane has it: with its id, its destination as last seen, and what follows from being a follow-up.
local function addressed(head, request, kind, address)
  if request == '' then return '' end
  local field = kind == 'group' and 'groupId' or kind == 'newsletter' and 'newsletterId' or 'destinationNumber'
  return '{"' .. field .. '":' .. cjson.encode(address) .. ',' .. string.sub(request, 2)
end

local function items_of(packed, id, generation, kind, address)
  local items, at = {}, 1
  while at <= #packed do
    local line_end = string.find(packed, '\n', at, true)
    local head = header_of(string.sub(packed, at, line_end))
    local free_end = line_end + head.f
    local template_end = free_end + head.t
    local free = addressed(head, string.sub(packed, line_end + 1, free_end), kind, address)
    local template = addressed(head, string.sub(packed, free_end + 1, template_end), kind, address)
    at = template_end + head.m + 1
    head.id = string.sub(redis.sha1hex(id .. #items), 1, 32)
    head.f, head.t, head.b, head.o = #free, #template, 1, 1
    if head.g ~= '' then head.g = id end
    if generation ~= '' then
      head.n = tonumber(generation)
      if #template == 0 then head.p = 's' end -- what waits for silence is not kept for when the contact writes
    end
    table.insert(items, cjson.encode(head) .. '\n' .. free .. template .. string.sub(packed, template_end + 1, at - 1))
  end
  return items
end

local due = redis.call('ZRANGE', shard('timers'), '-inf', now, 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[1]), 'WITHSCORES')
for i = 1, #due, 2 do
  local member, at = due[i], tonumber(due[i + 1])
  local c, name = string.match(member, '^(.*):(.*)$')
  local chat = redis.call('HMGET', key('chat', c), 'kind', 'address', 'generation', 'in', 'timers', 'human')
  local payload = redis.call('HGET', shard('timers:payload'), member) or ''
  local generation, late, before, packed = string.match(payload, '^([^|]*)|(%a)|(%d*)|[^\n]*\n(.*)$')
  local edge = (before or '') ~= '' and chat[4] and tonumber(chat[4]) + open_ms - tonumber(before) or 0
  at = math.max(at, edge)
  if not packed or not chat[2] then -- nothing to send, or nobody to send it to: the chat was removed
    forget_timer(c, name)
    note(notes, 'skip', c, name, 'forgotten')
  elseif edge > now then -- the contact wrote since, and moved what it is due before
    redis.call('ZADD', shard('timers'), int(edge), member)
  else
    local why
    if generation ~= '' and generation ~= (chat[3] or '0') then
      why = 'replied'
    elseif has_human(chat[6]) then
      why = 'handed-over'
    elseif late == 's' and now - at > late_ms then
      why = 'late'
    elseif late == 'c' and now - at > late_ms and stood_for(c, name, at, chat[5] or '') then
      why = 'coalesced'
    end
    forget_timer(c, name)
    if why then
      note(notes, 'skip', c, name, why)
    else
      -- The id follows from what it is and when it is due: should Redis forget this step, the platform still knows it.
      push_or_bury(c, items_of(packed, redis.sha1hex(member .. int(at) .. payload), generation, chat[1], chat[2]), notes)
    end
  end
end
return {#due / 2, notes}
