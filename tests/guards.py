"""The guards that `tests.mutants` takes away: each one expression of a script or of the Python around it."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
CLOSEST = {
    "fire": "timers",
    "timers": "timers",
    "schedule": "schedules",
    "consent": "consent",
    "merge": "merge",
    "dead": "letters",
    "cancel": "sequences",
    "sent": "sequences",
    "lane": "policies",
    "pause": "nothing_vanishes",
    "record": "records",
    "status": "records",
    "human": "handover",
    "handover": "handover",
    "number": "number",
}
ENGINE = (
    "store",
    "nothing_vanishes",
    "timers",
    "consent",
    "merge",
    "limits",
    "letters",
    "slow",
    "schedules",
    "policies",
    "sequences",
    "records",
    "handover",
    "number",
    "model",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard to take away: where (below `pilotbot/`), the text as it is and as it is changed, what it guards, and the closest tests."""

    file: str
    old: str
    new: str
    guards: str
    tests: tuple[str, ...]

    @property
    def path(self) -> Path:
        return Path("pilotbot") / self.file


def lua(script: str, old: str, new: str, guards: str) -> Mutant:
    """A mutant of a script."""
    names = dict.fromkeys((CLOSEST.get(script, ENGINE[0]), *ENGINE))
    return Mutant(f"engine/scripts/{script}.lua", old, new, guards, tuple(f"tests/engine/test_{name}.py" for name in names))


def python(file: str, old: str, new: str, guards: str, *tests: str) -> Mutant:
    """A mutant of a module, with the tests that are closest."""
    return Mutant(file, old, new, guards, tuple(f"tests/{name}.py" for name in tests))


MUTANTS = (
    # in
    lua("accept", "if known(id) or known(message) or", "if known(message) or", "an event is known by its id"),
    lua("accept", "if known(id) or known(message) or", "if known(id) or", "an event is known by its message"),
    lua("accept", "or note_only and known(note) then", "then", "a note is known by itself"),
    lua("accept", "note_only and note or id)", "id)", "a note does not hide the message itself"),
    lua("accept", "message ~= '' and not note_only and replace", "message ~= '' and replace", "a note replaces nothing"),
    lua("accept", "seq ~= current and untried(seq)", "untried(seq)", "a quote does not replace what runs"),
    lua("accept", "seq ~= current and untried(seq)", "seq ~= current", "a quote does not replace what was tried"),
    lua("accept", "if at and at < now - REMEMBER then", "if false then", "what dedupe has forgotten is not taken in again"),
    lua("accept", "redis.call('ZCARD', box) >= depth", "false", "a mailbox is bounded"),
    lua("accept", ">= tonumber(ARGV[17]) then", "< 0 then", "all mailboxes together are bounded"),
    lua("accept", "if moves and flood - slack > now then", "if false then", "one contact does not flood"),
    lua("accept", "local time = math.min(at or now, now)", "local time = at or now", "the future counts as now"),
    lua("accept", "if moves and time > last then", "if moves then", "an older message does not move the window back"),
    lua("accept", "if moves and not old then\n", "if moves then\n", "what is old disarms nothing"),
    lua("accept", "  disarm(c, known_chat[6] or '', notes)\n", "", "a message disarms what waits for silence"),
    lua("accept", "'HINCRBY', chat, 'generation', 1", "'HINCRBY', chat, 'generation', 0", "what fired already is barred by a message"),
    lua("accept", "if kept and not redis.call('ZSCORE', shard('lease'), c) then", "if kept then", "a leased chat is not ready, too"),
    lua("accept", "shard('ready'), 'NX', now, c)", "shard('ready'), now, c)", "a message does not hasten what waits for another try"),
    lua(
        "accept",
        "release_held(c, open_ms, kept and '0' or int(now), notes)",
        "release_held(c, open_ms, int(now), notes)",
        "a message is handled before news go",
    ),
    lua("accept", "known_chat[5]) or ''}", "nil) or ''}", "a message waits for a follow-up that is just being posted"),
    lua("claim", "'-inf', lease_now, 'BYSCORE'", "'-inf', '+inf', 'BYSCORE'", "a lease that holds is not taken away"),
    lua("claim", "if current then redis.call('HINCRBY'", "if false then redis.call('HINCRBY'", "crashes are counted"),
    lua("claim", "'-inf', now, 'BYSCORE'", "'-inf', '+inf', 'BYSCORE'", "what waits for another try waits"),
    lua("claim", "  redis.call('ZREM', shard('ready'), c)\n", "", "a leased chat is not ready any more"),
    lua("mailbox", "redis.call('HGET', shard('owner'), c) == token", "true", "who lost a chat's lease can write nothing"),
    lua("mailbox", "if seq_of(member) == seq then return", "if true then return", "of two events of one moment the right one is settled"),
    lua("mailbox", "  redis.call('HDEL', shard('owner'), c)\n", "", "who gave a chat back does not own it"),
    lua("mailbox", "  redis.call('ZREM', key('mailbox', c), member)\n", "", "what is settled is removed"),
    lua("mailbox", "  redis.call('DEL', key('emitted', c))\n", "", "each event has its own answers before the commit"),
    lua("commit", "then return {'replay', false, false, {}} end", "then return {'stale', false, false, {}} end", "a repeat is known"),
    lua("commit", "  release(c, now)\n  return {'replay'", "  return {'replay'", "a repeat gives back what was leased with it"),
    lua("commit", "if not member then return", "if false then return", "an event is settled once"),
    lua("commit", "math.max(tonumber(known[2] or '0'), tonumber(score))", "tonumber(score)", "what was overtaken is late"),
    lua("fail", "if not owns(c, token) then", "if false then", "who lost the lease can put nothing back"),
    lua("fail", "if ARGV[7] ~= '' then redis.call('HINCRBY'", "if true then redis.call('HINCRBY'", "a wait leaves no mark"),
    lua("blame", "if not owns(c, ARGV[2]) then", "if false then", "who lost the lease blames nobody"),
    lua("emit", "if not owns(c, ARGV[2]) then", "if false then", "who lost the lease can say nothing at once"),
    lua("emit", "if redis.call('HEXISTS', key('emitted', c), ARGV[3]) == 1 then", "if false then", "an answer at once goes once"),
    lua("renew", "redis.call('HGET', owners, ARGV[i]) == ARGV[i + 1]", "true", "a lost lease is not prolonged"),
    lua("let_go", "== worker and not kept[token]", "== worker", "what is worked on is not given back"),
    lua("let_go", "string.sub(token, 1, #worker) == worker and", "true and", "what others work on is not given back"),
    lua("let_go", "'o:pin') == 1 then", "'o:pin') == 2 then", "a post of a process that started anew may have arrived"),
    # out
    lua(
        "enqueue",
        "now + tonumber(ARGV[2])) then return {'dup', notes} end",
        "now) then return {'dup', notes} end",
        "nothing is queued twice",
    ),
    lua("enqueue", "  redis.call('ZREM', key('dedupe', c), 'item:' .. header_of(items[1]).id)\n", "", "what found no place may come again"),
    lua("decide_again", "now + REMEMBER) then", "now) then", "what was refused late is decided again once"),
    lua("decide_again", "redis.call('HGET', key('chat', c), 'in') == ARGV[2]", "true", "a late refusal shuts no window opened since"),
    lua("lane", "head.f > 0 and (head.w ~= 1 or open)", "head.f > 0", "nothing free-form into a closed window"),
    lua("lane", "inbound ~= known[3] and tonumber(inbound)", "tonumber(inbound)", "a window that the platform found closed is shut"),
    lua("lane", "math.max(now, head.d or 0) < edge", "edge > 0", "a window has its time"),
    lua("lane", "math.max(now, head.d or 0) < edge", "now < edge", "what is delivered later is chosen by the window of then"),
    lua("lane", "if pin and known[6] == '0' and", "if pin and", "the pin of an unknown outcome holds"),
    lua("lane", "(pin == 'free' and head.w == 1 and not open)", "false", "what was refused for certain is chosen anew"),
    lua("lane", "known[6] == '0' and (bar or", "known[6] == '0' and (", "what was refused for certain may be barred"),
    lua("lane", "if head.n and head.n ~= tonumber(generation or '0') then", "if false then", "a follow-up is not sent after a reply"),
    lua("lane", "if head.b == 1 and decided(c, head) > 0 then", "if false then", "nothing of a business after an opt-out"),
    lua("lane", "math.abs(own) > math.abs(all) and own or all", "all", "what was decided for a purpose counts"),
    lua("lane", "math.abs(own) > math.abs(all) and own or all", "own ~= 0 and own or all", "the later decision holds"),
    lua("lane", "if head.x and now >= head.x then return 'too-old' end", "", "nothing is posted first when it is too late"),
    lua("lane", "decided(c, head) >= 0 then return 'no-opt-in' end", "false then return 'no-opt-in' end", "marketing needs an opt-in"),
    lua("lane", "~= '' then return 'handed-over' end", "== 1 then return 'handed-over' end", "no marketing beside a person"),
    lua("lane", "if since < length then return", "if false then return", "quiet hours are kept"),
    lua("lane", "goes and not first and quiet_until(head)", "goes and quiet_until(head)", "a content is not cut in two by the night"),
    lua("lane", "if not overtake(c, is_awake) then", "if true then", "answers overtake what waits for the morning"),
    lua("lane", "if redis.call('ZSCORE', name, head.id) then return false end", "", "what is chosen anew counts once"),
    lua("lane", ">= head.k[1] then return true end", ">= 1e9 then return true end", "a cap bounds what a chat gets"),
    lua("lane", "redis.call('ZREMRANGEBYRANK', name, 0, -RECENT - 1)", "", "what caps count is bounded"),
    lua("lane", "if why and head.g ~= '' and head.r ~= 1 then", "if false then", "the rest of a content is left out with its first part"),
    lua("lane", "if until_ms > now and redis.call", "if false and redis.call", "what follows in a sequence waits for its report"),
    lua("lane", "string.match(gate, ' (.*)$') == id then", "true then", "the report of another message opens nothing"),
    lua("lane", "redis.call('HSET', chat, 'o:opened', id) end", "end", "a report before the lane knows of the message counts"),
    lua("lane", "'o:waits', 'o:opened'}", "'o:waits'}", "a report goes with its message"),
    lua("lane", "  if redis.call('ZSCORE', shard('lane:lease'), c) then return false end\n  local due", "  local due", "one sender a lane"),
    lua("lane", "  if due and tonumber(due) > now then return false end\n", "", "a lane that backs off is left alone by commits"),
    lua("lane", "if paused[1] and tonumber(paused[1]) > now then", "if false then", "a number that pauses sends nothing"),
    lua("lane", "(why or first == 'template') and 'skip'", "why and 'skip'", "a template stands for all of a content"),
    lua("lane", "if redis.call('LLEN', key('hold', c)) >= HOLD_DEPTH then", "if false then", "a hold is bounded"),
    lua("lane", "  if not head.h then\n", "  if true then\n", "nothing is held longer for being held again"),
    lua("lane", "while oldest and held_until(oldest) <= now do", "while false do", "a hold has its time"),
    lua("lane", "if at > now then return theirs", "if false then return theirs", "what a business begins keeps its pace"),
    lua("lane", "if at and (slow or not overtake(c, is_answer)) then", "if at then", "an answer does not wait for a pace"),
    lua("lane", "local slow = tonumber(known[12] or '0') > now", "local slow = false", "a contact that is limited gets all at its pace"),
    lua("lane", "shard('lane:ready'), 'NX', at, c)", "shard('lane:ready'), at, c)", "what is queued does not delay a lane"),
    lua(
        "lane",
        "'o:pin') == 0 then redis.call('ZADD'",
        "'o:pin') >= 0 then redis.call('ZADD'",
        "an answer does not hasten a lane that backs off",
    ),
    lua("lane", "#items > LANE_DEPTH then", "#items > 1e9 then", "a lane is bounded"),
    lua("lane", "redis.call('HGET', shard('lane:owner'), c) == token", "true", "who lost a lane's lease can write nothing"),
    lua("lane", "if not waits or not redis.call", "if not redis.call", "a message waits for nothing else that is posted"),
    lua("lane", "if at < math.abs(known) then return end", "", "an older decision changes nothing"),
    lua("lane", "if not known[1] or known[1] == known[2] or now >=", "if not known[1] or now >=", "a shut window releases nothing"),
    lua("lane", "or now >= tonumber(known[1]) + open_ms then", "then", "an old message releases nothing"),
    lua("lane", "if all or header_of(item).b ~= 1 then", "if true then", "what a business began waits for the handler"),
    lua("lane", "local PINNED = {'o:pin', 'o:at',", "local PINNED = {'o:at',", "a pin goes with its item"),
    lua(
        "claim_lanes",
        "then redis.call('HSET', key('chat', c), 'o:unknown', '1') end",
        "then end",
        "a post of a dead sender may have arrived",
    ),
    lua("claim_lanes", "'-inf', lease_now, 'BYSCORE'", "'-inf', '+inf', 'BYSCORE'", "a lane's lease that holds is not taken away"),
    lua("sent", "'o:opened') ~= ARGV[3] then", "'o:opened') ~= '' then", "what was reported is not waited for"),
    lua("sent", "unpin(c)\n", "", "the next item is pinned anew"),
    lua("cancel", "return {'busy', redis", "return {'gone', redis", "what is being posted is waited for"),
    lua(
        "cancel",
        "if redis.call('HGET', chat, 'o:unknown') == '1' then return",
        "if false then return",
        "what may be posted is not taken back",
    ),
    lua("cancel", "    unpin(c)\n", "", "the pin goes with what is taken back"),
    lua("cancel", "redis.call('SET', scheduled(id), '', 'PX', REMEMBER)", "", "a repeated cancel says the same"),
    lua("cancel", "if redis.call('EXISTS', list) == 0 then", "if false then", "an empty lane is not looked at"),
    lua("sent", "release_lane(c)\n", "", "the next item has a token of its own"),
    lua("unsent", "redis.call('HSET', chat, 'o:unknown', ARGV[6])", "", "an unknown outcome is remembered"),
    lua("unsent", "if known[1] and known[1] == known[2] then", "if known[1] then", "a refusal shuts no window opened since"),
    lua("unsent", "if ARGV[4] == 'dead' then bury_item", "if true then bury_item", "what may have been posted is no dead letter"),
    lua("pause", "if known >= until_ms then return until_ms end", "", "a pause is never shortened"),
    lua(
        "record", "local again = ARGV[11] == '1' and rank <= 2", "local again = ARGV[11] == '1'", "what was delivered is not decided again"
    ),
    lua("record", "redis.call('PEXPIRE', record, KEEP)", "redis.call('PEXPIRE', record, PARKED)", "what is ours is remembered"),
    lua("status", "local advanced = rank > rank_of(record)", "local advanced = true", "no status goes backward"),
    lua("status", "redis.call('HSETNX', record, ARGV[i]", "redis.call('HSET', record, ARGV[i]", "a status is reached once"),
    lua("status", "math.min(tonumber(ARGV[i + 1]) or now, now)", "(tonumber(ARGV[i + 1]) or now)", "no status is of the future"),
    lua("status", "ours and KEEP or PARKED", "KEEP", "what others sent is soon forgotten"),
    lua("status", "if rank > 2 then redis.call('HDEL'", "if false then redis.call('HDEL'", "what was delivered is not kept"),
    lua("relay", "now - tonumber(ARGV[2]), 'BYSCORE'", "now, 'BYSCORE'", "a process relays its own notices first"),
    # time
    lua("timers", "generation ~= (known[2] or '0') then", "false then", "a turn sets nothing that a message disarmed meanwhile"),
    lua("timers", ">= most * (#name + 1) then", "< 0 then", "follow-ups of a chat are bounded"),
    lua("fire", "    forget_timer(c, name)\n    if why then", "    if why then", "a follow-up fires once"),
    lua("fire", "if edge > now then", "if false then", "what is due before the window closes moves with it"),
    lua("fire", "'^[^|]*|c||'", "'^[^|]*|c|'", "what may be moved stands for nothing"),
    lua("fire", "  at = math.max(at, edge)\n", "", "what was moved is not late"),
    lua("merge", "redis.call('HINCRBY', chat, 'generation', 1) -- they", "-- they", "who wrote elsewhere wrote"),
    lua("arm", "generation ~= '' and generation ~= chat.generation or", "false or", "what was decided before a message is over"),
    lua("fire", "if generation ~= '' and generation ~= (chat[3] or '0') then", "if false then", "a follow-up does not outlive its chat"),
    lua("fire", "elseif late == 's' and now - at > late_ms then", "elseif false then", "what is too late is skipped"),
    lua("fire", "elseif late == 'c' and now - at > late_ms and", "elseif late == 'c' and", "what is in time stands for itself"),
    lua("fire", "(at > due or (at == due and other > name))", "(at >= due)", "of several one is sent"),
    lua("fire", "if #template == 0 then head.p = 's' end", "", "what waits for silence is not kept for a reply"),
    lua("fire", "head.f, head.t, head.b = #free, #template, 1", "head.f, head.t = #free, #template", "a follow-up is of the business"),
    lua(
        "fire", "redis.sha1hex(member .. int(at) .. payload)", "redis.sha1hex(member .. int(now))", "a follow-up that fires anew has its id"
    ),
    lua(
        "advance",
        "math.max(tonumber(ARGV[1]), tonumber(redis.call('GET', shard('offset')) or '0'))",
        "tonumber(ARGV[1])",
        "no way back in time",
    ),
    lua("schedule", "if there ~= ARGV[3] then return 0 end", "", "of two processes one runs an occurrence"),
    lua("schedule", "if there == ARGV[4] then return 1 end", "", "a repeated change of a schedule is known"),
    # what is kept
    lua("consent", "        redis.call('ZREM', ledger, entries[i].text)\n", "", "a ledger is bounded"),
    lua("consent", "if surplus > 0 and holds[entries[i].purpose].text ~= entries[i].text then", "if surplus > 0 then", "what holds stays"),
    lua("accept", "if math.min(at or now, now) <= gone then", "if false then", "what is older than a forget is not taken in"),
    lua("claim", "if redis.call('HEXISTS', key('chat', c), 'joining') == 1 then", "if false then", "a chat waits for what moves there"),
    lua("merge", "remember(c, 'took:' .. source, now + REMEMBER)", "true", "a step of a move that is done again undoes nothing"),
    lua("merge", "remember(c, 'held:' .. head.id, now + REMEMBER)", "true", "what is held moves once"),
    lua("merge", "remember(c, 'timer:' .. name .. int(due), now + REMEMBER)", "true", "a follow-up moves once"),
    lua("dead", ">= tonumber(ARGV[3]) then return 0 end", "< 0 then return 0 end", "a dead letter goes back only where there is room"),
    lua("dead", "if not push(c, {letter.payload}) then return 0 end", "push(c, {letter.payload})", "a message comes back or stays dead"),
    lua("dead", "or withheld(c, head) then return 0 end", "then return 0 end", "what a policy leaves out stays a dead letter"),
    lua("dead", "if barred(c, head,", "if false and barred(c, head,", "what may not go stays a dead letter"),
    lua("prelude", "if seen and tonumber(seen) > now then return false end", "if seen then return false end", "dedupe forgets in its time"),
    lua("prelude", "if surplus > 0 then", "if false then", "dead letters are bounded"),
    lua("prelude", "redis.call('INCR', shard('token'))", "1", "a token is like no other"),
    # around the scripts
    python(
        "engine/items.py",
        'sha256(f"{self.id}\\0{pin}".encode())',
        "sha256(self.id.encode())",
        "each variant has its key",
        "engine/test_items",
    ),
    python(
        "engine/store.py",
        "            await self.decide(effects.decision)\n",
        "            pass\n",
        "a decision holds",
        "journeys/test_opt_out",
    ),
    python("engine/people.py", "if owner and forbids", "if False", "a decision waits for what is being posted", "engine/test_consent"),
    python(
        "engine/records.py", "int(not item.again), int(keep)", "1, int(keep)", "what failed late is decided again once", "engine/test_store"
    ),
    python(
        "engine/batch.py", 'await self._lose(futures, "closed")', "pass", "who waits is told of the end", "engine/test_nothing_vanishes"
    ),
    python(
        "engine/batch.py",
        "if not future.done():\n                        if",
        "if True:\n                        if",
        "a caller that went away spoils nothing",
        "engine/test_nothing_vanishes",
    ),
    python(
        "server/intake.py", "if record.leads and await", "if False and await", "a report lets a sequence go on", "journeys/test_sequence"
    ),
    python("server/recipients.py", "if said.withheld:", "if False:", "what a policy leaves out is not queued", "journeys/test_caps"),
    python("contacts/quiet.py", "if since < length else None", "if False else None", "quiet hours are kept", "contacts/test_quiet"),
    python("server/manners.py", "None if item.rest else self.cap", "self.cap", "a cap counts contents", "server/test_manners"),
    python("events/signature.py", "return any(matches)", "return True", "a forged delivery is refused", "events/test_signature"),
    python("server/ssrf.py", "if not is_public(address[0]):", "if False:", "no file is fetched from near", "security/test_ssrf"),
    python("server/ssrf.py", 'or "@" in parts.netloc', "", "no link names a user", "security/test_ssrf"),
    python("server/media.py", "if left < 0:", "if False:", "a file is not larger than allowed", "server/test_media"),
    python("server/media.py", "allow_redirects=False", "allow_redirects=True", "each hop is checked", "server/test_media"),
    python("server/app.py", "len(given) == 1 and ", "", "a delivery has one signature", "security/test_signatures", "server/test_app"),
    python("server/app.py", "except (Away, RedisError, TimeoutError):", "except ZeroDivisionError:", "no false 200", "server/test_app"),
    python("server/intake.py", "if number is None:", "if False:", "events of other numbers are not ours", "server/test_intake"),
    python("server/intake.py", 'or record.status != "failed":', "or False:", "a late refusal sends nothing again", "server/test_intake"),
    python("server/intake.py", "age <= (AGAIN", "0 <= (AGAIN", "what is too old is not sent again", "server/test_intake"),
    python(
        "server/intake.py",
        'return record.pin == "free" and again.enforced',
        "return True",
        "a template is not decided again",
        "server/test_intake",
    ),
    python(
        "engine/records.py",
        "            await self._point(record.ours, place, KEEP_POINTER)\n",
        "            pass\n",
        "what proves ours is found by the provider's id",
        "engine/test_records",
    ),
    python(
        "engine/records.py",
        "            await self._point(pointer, place, PARKED)\n",
        "            pass\n",
        "the provider's id of what others sent is soon forgotten",
        "engine/test_records",
    ),
    python("server/intake.py", "and event.from_me:", "and False:", "an echo is no message of a contact", "server/test_intake"),
    # who has the chat
    lua("commit", "if ARGV[at] == 'take' then", "if false then", "a handover is committed with its turn"),
    lua("commit", "elseif ARGV[at] == 'keep' then", "elseif false then", "what is written meanwhile is kept"),
    lua("human", "if outcome == 'taken' then tell_self", "if true then tell_self", "a handover is told once"),
    lua("human", "seen ~= '' and has['until'] or 0)", "0)", "what a person writes never shortens their time"),
    lua("human", "'HDEL', key('chat', c), 'human') == 0 then", "'HDEL', key('chat', c), 'human') == 9 then", "a chat comes back once"),
    lua("handover", "tonumber(since[1] or '-1')", "-1", "what was written before the chat came back does not take it"),
    lua("handover", "if not remember(c, 'echo:' .. ARGV[9], now + REMEMBER) then", "if false then", "an echo is known by its id"),
    lua("handover", "ARGV[4] == '1' and due", "false and due", "only what is over is given back by time"),
    lua("timers", "if known[3] then -- a person", "if false then -- a person", "no turn sets a follow-up while a person has the chat"),
    lua("arm", "or chat.human then", "then", "nobody sets a follow-up while a person has the chat"),
    lua(
        "number",
        "if at < tonumber(redis.call('GET', key('since', number)) or '0') then",
        "if false then",
        "what is overtaken is not heeded",
    ),
    lua("lane", "if paused[2] then redis.call('SET'", "if false then redis.call('SET'", "one lane tries a number that is down"),
    python(
        "server/turn.py",
        "if await self._for_person(turn, ctx, desk):",
        "if False:",
        "while a person has the chat no handler runs",
        "journeys/test_handover",
    ),
    python("server/sender.py", "if lane.down and await", "if False and await", "a post that works is up", "journeys/test_numbers"),
    python("server/intake.py", "if result.under_way and not", "if False and not", "a reply waits for a post", "journeys/test_follow_ups"),
    python(
        "server/turn.py",
        "if turn.crashes >= CRASHES:",
        "if False:",
        "a poisonous event is parked",
        "server/test_turn",
        "server/test_worker",
    ),
    python(
        "server/turn.py",
        "if done >= len(waits):",
        "if False:",
        "an event that fails is given up",
        "server/test_turn",
        "journeys/test_errors",
    ),
    python("server/pool.py", "kept = [lease.token for lease in self._tasks.values()]", "kept = []", "healing keeps", "server/test_pool"),
    python("server/pool.py", "        self.lost(gone)\n", "", "work on a lost lease ends", "server/test_pool"),
    python(
        "server/pool.py",
        "            before.cancel()\n            await asyncio.wait([before])\n",
        "            pass\n",
        "one task a chat",
        "server/test_pool",
    ),
    python(
        "server/sender.py",
        "if time.monotonic() >= self._deadlines[lane.token]:",
        "if False:",
        "no post after the lease",
        "server/test_sender",
    ),
    python(
        "server/sender.py",
        "return past_edge or forgotten(lane)",
        "return forgotten(lane)",
        "past the edge it is asked",
        "server/test_sender",
    ),
    python(
        "server/sender.py", "return past_edge or forgotten(lane)", "return past_edge", "a forgotten key is asked for", "server/test_sender"
    ),
    python(
        "server/sender.py",
        "unknown=lane.unknown or error.outcome_unknown",
        "unknown=error.outcome_unknown",
        "unknown stays unknown",
        "server/test_sender",
    ),
    python(
        "server/sender.py",
        "if record is None or record.item in {None, lane.item.id}:",
        "if True:",
        "one message is one item's",
        "server/test_sender_unknown",
        "server/test_sender",
    ),
    python(
        "server/sender.py",
        "client.post(lane.item.body(lane.pin), lane.item.key(lane.pin))",
        "client.post(lane.item.body(lane.pin), lane.token)",
        "a retry has the stored key",
        "server/test_sender",
        "journeys/test_once",
    ),
    python(
        "replies/render.py",
        "index == last or (index == 0 and ready is not None)",
        "index == last",
        "a template finds the options of its content",
        "replies/test_render",
    ),
    python(
        "replies/render.py",
        "leads=index < last and each.media is not None",
        "leads=False",
        "text does not overtake its file",
        "replies/test_render",
    ),
    python(
        "replies/pages.py",
        "len({label_key(label) for label in labels}) == len(labels)",
        "True",
        "rows of a list are told apart",
        "replies/test_pages",
    ),
    python(
        "replies/templating.py",
        "return neutral(shown if isinstance(shown, str) else str(shown))",
        "return shown",
        "values do not format",
        "replies/test_markup",
    ),
)


def misplaced() -> list[str]:
    """The mutants whose text is not in its file exactly once, so that the list cannot rot."""
    found = {mutant: (ROOT / mutant.path).read_text("utf-8").count(mutant.old) for mutant in MUTANTS}
    return [f"{mutant.file}: {mutant.old!r} is there {count} times" for mutant, count in found.items() if count != 1]
