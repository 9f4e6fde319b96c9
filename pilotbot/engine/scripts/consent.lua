-- What a person decided, of all messages or of those of a purpose: a ledger, entries by their times; the newest of each holds.
-- 'forgotten' among them is none: it is when the person was forgotten. Of what was decided before only a no is entered any more, and
-- nothing of how it was said. (design 3.13)
-- ARGV: person, 'read' | 'enter', at ms, entry JSON | 'forget'
-- Returns {purpose, when, negative for yes, ...; entries, newest first}
local MOST = 100
local ledger, verb = key('consent', ARGV[1]), ARGV[2]

-- The entries, newest first, and of each purpose the one that was decided last. Of two at one time the no holds, as "out" sorts behind "in".
local function all_entries()
  local entries, holds = {}, {}
  local found = redis.call('ZRANGE', ledger, 0, -1, 'REV', 'WITHSCORES')
  for i = 1, #found, 2 do
    if found[i] ~= 'forgotten' then
      local entry = cjson.decode(found[i])
      table.insert(entries, {text = found[i], purpose = entry.purpose})
      holds[entry.purpose] = holds[entry.purpose] or {out = entry.what == 'out', at = tonumber(found[i + 1]), text = found[i]}
    end
  end
  return entries, holds
end

if verb == 'enter' then
  local entry, text = cjson.decode(ARGV[4]), ARGV[4]
  local before = tonumber(ARGV[3]) <= tonumber(redis.call('ZSCORE', ledger, 'forgotten') or '-inf')
  if before then
    text = cjson.encode({what = 'out', at = entry.at, source = 'forgotten', evidence = '', event = '', purpose = entry.purpose})
  end
  if not before or entry.what == 'out' then
    redis.call('ZADD', ledger, ARGV[3], text) -- the same entry again changes nothing
    redis.call('PERSIST', ledger)
    local entries, holds = all_entries()
    local surplus = #entries - MOST
    for i = #entries, 1, -1 do -- the oldest go, but none that holds
      if surplus > 0 and holds[entries[i].purpose].text ~= entries[i].text then
        redis.call('ZREM', ledger, entries[i].text)
        surplus = surplus - 1
      end
    end
  end
elseif verb == 'forget' then
  local _, holds = all_entries()
  local all, kept = holds.all, 0
  redis.call('DEL', ledger)
  redis.call('ZADD', ledger, now, 'forgotten')
  for purpose, last in pairs(holds) do
    if last.out and (purpose == 'all' or not all or last.at > all.at) then
      local entry = {what = 'out', at = last.at, source = 'forgotten', evidence = '', event = '', purpose = purpose}
      redis.call('ZADD', ledger, last.at, cjson.encode(entry))
      kept = kept + 1
    end
  end
  if kept == 0 then redis.call('PEXPIRE', ledger, REMEMBER) end
end

local entries, holds = all_entries()
local marks, texts = {}, {}
for purpose, last in pairs(holds) do
  table.insert(marks, purpose)
  table.insert(marks, int(last.out and last.at or -last.at))
end
for _, entry in ipairs(entries) do table.insert(texts, entry.text) end
return {marks, texts}
