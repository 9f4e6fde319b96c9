#!lua flags=no-writes
-- Of chats with work each waits or is worked on, never both and never neither; each lease has its owner. Writes nothing; stands alone.
-- ARGV: how many leases to look at, then names of keys after the base, mailbox:<c> or lane:<c>.
-- Returns {how many were looked at, list of {key or chat, both|neither|unowned|unleased}}
local base, most = KEYS[1], tonumber(ARGV[1])
local looked, wrong = 0, {}
local sets = {mailbox = base .. ':', lane = base .. ':lane:'}

for i = 2, #ARGV do
  local kind, c = string.match(ARGV[i], '^(%a+):(.*)$')
  if redis.call('EXISTS', base .. ':' .. ARGV[i]) == 1 then
    looked = looked + 1
    local ready = redis.call('ZSCORE', sets[kind] .. 'ready', c)
    local leased = redis.call('ZSCORE', sets[kind] .. 'lease', c)
    if ready and leased then table.insert(wrong, {ARGV[i], 'both'}) end
    if not ready and not leased then table.insert(wrong, {ARGV[i], 'neither'}) end
  end
end

for kind, set in pairs(sets) do
  for _, c in ipairs(redis.call('ZRANGE', set .. 'lease', 0, most - 1)) do
    looked = looked + 1
    if redis.call('HEXISTS', set .. 'owner', c) == 0 then table.insert(wrong, {kind .. ':' .. c, 'unowned'}) end
  end
  for _, c in ipairs(redis.call('HRANDFIELD', set .. 'owner', most)) do
    if not redis.call('ZSCORE', set .. 'lease', c) then table.insert(wrong, {kind .. ':' .. c, 'unleased'}) end
  end
end
return {looked, wrong}
