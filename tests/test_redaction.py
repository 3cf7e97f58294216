"""Redaction: what counts as a name or an address, which labels they get, and what stays as it is."""

from __future__ import annotations

import dataclasses
import time
from ipaddress import ip_address

import pandas as pd
import pytest

from analyzer import redaction
from analyzer.evidence import Evidence
from analyzer.model import Analysis, CitedFilter, Condition, Selected
from analyzer.redaction import Choice, addresses, collect, filterxml
from analyzer.redaction.text import Redactor, Scan, Vault
from tests.made import analysis, event_frame

PROFILE = "\\device\\harddiskvolume3\\users\\{}\\appdata\\x.exe"


def redactor(*texts: str, hosts: tuple[str, ...] = (), accounts: tuple[str, ...] = (), **choice: bool) -> Redactor:
    """Return a redactor that has seen these texts, machines and accounts."""
    vault = Vault(Choice(**choice))
    scan = Scan(vault)
    for name in hosts:
        collect.host(name, vault.names)
    for name in accounts:
        collect.account(vault.names, name)
    scan.realms()
    for text in texts:
        scan.text(text)
    scan.settle()
    return Redactor(vault)


def hidden(text: str, *more: str, **known: object) -> str:
    """Return a text with labels, where it and some more are the evidence."""
    return redactor(text, *more, **known).text(text)


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PROFILE.format("anna"), PROFILE.format("user-01")),
        ("C:\\Users\\Anna Smith\\x.exe", "C:\\Users\\user-01\\x.exe"),
        ("C:/Users/anna/x", "C:/Users/user-01/x"),
        ('"C:\\\\Users\\\\anna\\\\x"', '"C:\\\\Users\\\\user-01\\\\x"'),
        ("C:\\Documents and Settings\\anna\\x", "C:\\Documents and Settings\\user-01\\x"),
        ("/home/anna/case/x.evtx", "/home/user-01/case/x.evtx"),
        ("the folder C:\\Users\\anna, which is gone", "the folder C:\\Users\\user-01, which is gone"),
        ("C:\\Users\\anna", "C:\\Users\\user-01"),
        ("\\users\\public\\x \\Users\\Default\\x \\users\\All Users\\x", None),
        ("C:\\Users\\Administrator\\x.exe", None),
        ("\\device\\mup\\files\\share\\x.exe", "\\device\\mup\\host-01\\share\\x.exe"),
        (
            "\\device\\mup\\;lanmanredirector\\;z:000\\files\\s\\x",
            "\\device\\mup\\;lanmanredirector\\;z:000\\host-01\\s\\x",
        ),
        ("\\\\files.corp.example\\share", "\\\\host-01\\share"),
        ("\\\\?\\C:\\x \\\\.\\pipe\\x \\\\localhost\\c$", None),
        ("anna.smith@corp.example", "user-01@domain-01"),
        ("@FirewallAPI.dll,-25000", None),
        ("C:\\Windows\\System32\\svchost.exe -k netsvcs -p -s BITS", None),
    ],
)
def test_a_name_is_found_by_its_place(text: str, expected: str | None) -> None:
    assert hidden(text) == (text if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rule of anna", "rule of user-01"),
        ("ANNA's rule (Anna)", "user-01's rule (user-01)"),
        ("anna_backup.exe anna-tool", "user-01_backup.exe user-01-tool"),
        ("annas annalist hanna Savannah", None),
        ("\\users\\anna.CORP\\x", "\\users\\user-01\\x"),
    ],
)
def test_a_known_name_is_hidden_as_a_whole_word_in_any_letter_case(text: str, expected: str | None) -> None:
    known = redactor(text, accounts=("CORP\\Anna",))
    assert known.text(text) == (text if expected is None else expected)


def test_a_machine_has_one_label_in_all_its_forms() -> None:
    known = redactor("x", hosts=("WORKSTATION-OF-ANNA.corp.example",), accounts=("CORP\\eva",))
    for form in ("workstation-of-anna.corp.example", "Workstation-of-Anna", "WORKSTATION-OF-", "workstation-of-anna$"):
        assert known.text(f"log of {form.rstrip('$')}").startswith("log of host-01"), form
    assert known.text("eva of corp.example, CORP\\eva") == "user-01 of domain-01, domain-01\\user-01"
    assert known.text("DC7.corp.example and corp.example") == "host-02 and domain-01"


def test_two_machines_with_one_short_name_stay_apart() -> None:
    known = redactor("x", hosts=("pc1.a.example", "pc1.b.example", "pc1"))
    labels = [known.host(name) for name in ("PC1.a.example", "PC1.b.example", "PC1")]
    assert len(set(labels)) == 3
    assert known.host("PC1.a.example, PC1.b.example") == ", ".join(labels[:2])


@pytest.mark.parametrize("name", ["system", "public", "a", "it", "server", "42", "user", "host"])
def test_a_user_who_is_called_like_a_word_changes_no_text(name: str) -> None:
    sentence = f"the {name} of a public system: no user on this host, 42 of it, server"
    known = redactor(PROFILE.format(name), sentence, accounts=(f"CORP\\{name}",))
    assert known.text(sentence) == sentence
    assert known.text(f"as CORP\\{name}") == "as domain-01\\user-01"
    if name != "public":
        assert known.text(PROFILE.format(name)) == PROFILE.format("user-01")


def test_a_person_who_is_called_like_a_word_is_hidden_unless_it_is_written_small() -> None:
    known = redactor(PROFILE.format("will"))
    assert known.text("Will's rule: it will be blocked") == "user-01's rule: it will be blocked"


def test_a_machine_that_is_called_like_a_word_is_hidden_in_capitals_and_in_its_column() -> None:
    known = redactor("x", hosts=("SERVER", "TCP", "Pc"))
    assert known.text("the log of SERVER tells of a server") == "the log of host-02 tells of a server"
    assert known.text("TCP 443") == "TCP 443"
    assert (known.host("tcp"), known.host("pc")) == ("host-03", "host-01")


@pytest.mark.parametrize("name", ["Zoë", "Анна", "小明", "O'Neil", "R&D-7", "Łukasz Żak", "i̇rem"])
def test_names_of_all_scripts_are_hidden(name: str) -> None:
    known = redactor(PROFILE.format(name.lower()))
    assert known.text(f"rule of {name.lower()}") == "rule of user-01"
    assert known.text(f"<name>{name.lower().replace('&', '&amp;')}</name>") == "<name>user-01</name>"


def test_a_name_in_a_script_without_spaces_is_found_inside_a_sentence() -> None:
    assert redactor(PROFILE.format("小明")).text("这是小明的规则") == "这是user-01的规则"


def test_labels_are_no_names_of_the_evidence() -> None:
    known = redactor(*(PROFILE.format(name) for name in ("user-01", "anna", "user-03")))
    assert known.text(PROFILE.format("anna")) == PROFILE.format("user-02")
    assert known.text("user-01 and user-03") == "user-04 and user-05"


def test_accounts_of_the_system_stay_in_every_language() -> None:
    vault = Vault(Choice())
    for sid, name, domain in (
        ("S-1-5-18", "Système", "AUTORITE NT"),
        ("S-1-5-20", "NETWORK SERVICE", "NT AUTHORITY"),
        ("S-1-5-80-1-2-3-4-5", "MSSQLSERVER", "NT SERVICE"),
        (None, "LocalSystem", None),
        (None, "NT-AUTORITÄT\\LOKALER DIENST", None),
    ):
        collect.account(vault.names, name, domain, sid)
    assert {**vault.names.users.written, **vault.names.domains.written, **vault.names.hosts.written} == {}
    collect.account(vault.names, "WS-1$", "CORP", "S-1-5-18")  # the machine's own account
    assert set(vault.names.hosts.written) == {"ws-1"}
    assert set(vault.names.domains.written) == {"corp"}


def test_accounts_of_the_cloud_are_persons() -> None:
    known = redactor(
        "x", accounts=("AzureAD\\AnnaSmith", "MicrosoftAccount\\bea@mail.example", ".\\cora", "WORKGROUP\\dora")
    )
    assert known.text("AzureAD\\AnnaSmith and cora, dora") == "AzureAD\\user-01 and user-03, user-04"
    assert known.text("bea@mail.example") == "user-02@domain-01"


# ------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "0.0.0.0", "169.254.7.7", "224.0.0.251", "239.255.255.250", "255.255.255.255", "255.255.255.0"),
        *("::", "::1", "fe80::1", "fe80::1%12", "ff02::fb", "10:15:22", "2026-03-04T10:15:22.1234567Z", "std::abs"),
        *("10.0.0.0/8", "192.168.0.0/255.255.0.0", "fc00::/7", "0.0.0.0-255.255.255.255", "::/0"),
        *("192.168.0.0-192.168.255.255", "1.0.0.0-9.255.255.255", "2000::-3fff:ffff::", "v10.1.2.3", "10.0.22621.1"),
        "\\program files\\app\\3.1.4.2\\app.exe",
        "\\windowsapps\\Maker.App_1.2.3.4_x64__8wekyb3d8bbwe\\app.exe",
        "{7e57ab1e-1234-4321-abcd-00d15ea5e000}",
    ],
)
def test_what_says_nothing_of_whom_it_belongs_to_stays(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.7", "private-01.01"),
        ("10.1.2.3:443", "private-01.01:443"),
        ("100.64.3.4", "private-01.01"),
        ("fd00::5", "private6-01.01"),
        ("8.8.8.8", "public-01.01"),
        ("(203.0.113.9)", "(public-01.01)"),
        ("2001:DB8:0:0::7", "public6-01.01"),
        ("[2001:db8::7]:443", "[public6-01.01]:443"),
        ("to 2001:db8::7: refused", "to public6-01.01: refused"),
        ("::ffff:10.1.2.3", "::ffff:private-01.01"),
        ("10.1.2.0/24", "private-01.0/24"),
        ("10.1.2.0/255.255.255.0", "private-01.0/255.255.255.0"),
        ("10.1.2.255 10.1.2.9", "private-01.255 private-01.01"),
        ("10.1.2.9-10.1.2.20", "private-01.01-private-01.02"),
        ("dump_10.1.2.3.txt", "dump_private-01.01.txt"),
        ("\\device\\mup\\10.1.2.3\\share\\x", "\\device\\mup\\private-01.01\\share\\x"),
        ("http://10.1.2.3/x", "http://private-01.01/x"),
        ("fe80::5054:ff:fe12:3456", "fe80::mac-01"),
        ("52-54-00-12-34-56 52:54:00:12:34:56", "mac-01 mac-01"),
        ("ff-ff-ff-ff-ff-ff 01-00-5e-00-00-fb 00-00-00-00-00-00", None),
    ],
)
def test_an_address_becomes_a_label_of_its_kind(text: str, expected: str | None) -> None:
    assert hidden(text) == (text if expected is None else expected)


def test_a_version_in_a_path_is_hidden_where_it_is_an_address_elsewhere() -> None:
    path = "\\program files\\app\\3.1.4.2\\app.exe"
    assert hidden(path, "to 3.1.4.2") == "\\program files\\app\\public-01.01\\app.exe"


def test_labels_keep_networks_and_order() -> None:
    texts = [f"10.1.{net}.{host}" for net in (9, 2) for host in (200, 3, 17)]
    known = redactor(*texts)
    assert [known.text(text) for text in texts] == [
        *("private-02.03", "private-02.01", "private-02.02"),
        *("private-01.03", "private-01.01", "private-01.02"),
    ]


def test_later_texts_keep_the_labels_of_earlier_ones() -> None:
    vault = Vault(Choice())
    first = Scan(vault)
    for text in ("10.1.2.9", PROFILE.format("bruno"), "S-1-5-21-7-7-7-1001"):
        first.text(text)
    first.settle()
    for text in ("10.1.2.1", "10.0.0.1", PROFILE.format("anna"), "S-1-5-21-1-1-1-1001"):
        first.text(text)
    first.settle()
    known = Redactor(vault)
    assert known.text("10.1.2.9 10.1.2.1 10.0.0.1") == "private-01.01 private-01.02 private-02.01"
    assert known.text("bruno anna") == "user-01 user-02"
    assert known.text("S-1-5-21-7-7-7-1001 S-1-5-21-1-1-1-1001") == "S-1-5-21-0-0-1-1001 S-1-5-21-0-0-2-1001"


def test_every_address_is_in_one_class() -> None:
    for text, expected in (("10.0.0.1", "private"), ("9.9.9.9", "public"), ("127.0.0.1", None), ("fe80::1", None)):
        assert addresses.scope(ip_address(text)) == expected
    known = redactor("10.0.0.1 9.9.9.9 52-54-00-12-34-56", private=False)
    assert known.text("10.0.0.1 9.9.9.9 52-54-00-12-34-56") == "10.0.0.1 public-01.01 52-54-00-12-34-56"


# ------------------------------------------------------------------------------------------------ SIDs and blobs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S-1-5-21-111-222-333-1107", "S-1-5-21-0-0-1-1001"),
        ("S-1-5-21-111-222-333-500", "S-1-5-21-0-0-1-500"),
        ("O:LSD:(A;;CC;;;S-1-5-21-111-222-333-513)", "O:LSD:(A;;CC;;;S-1-5-21-0-0-1-513)"),
        ("s-1-5-21-111-222-333", "S-1-5-21-0-0-1"),
        ("S-1-12-1-1-2-3-4", "S-1-12-1-0-0-0-1"),
        ("S-1-5-21-0-0-0-497", None),
        ("S-1-5-80-864916184-135290571-3087830041-1716922880-4237303741 S-1-5-18 S-1-5-32-544 S-1-15-2-1", None),
    ],
)
def test_account_sids_are_replaced_and_others_stay(text: str, expected: str | None) -> None:
    assert hidden(text) == (text if expected is None else expected)


def test_a_sid_is_the_same_in_text_and_bytes() -> None:
    data = bytes.fromhex("010500000000000515000000") + b"".join(n.to_bytes(4, "little") for n in (111, 222, 333, 1107))
    known = redactor("S-1-5-21-111-222-333-1107", data.hex())
    new = known.text(data.hex())
    assert len(new) == len(data.hex())
    assert bytes.fromhex(new)[12:] == b"".join(n.to_bytes(4, "little") for n in (0, 0, 1, 1001))


@pytest.mark.parametrize("case", [str.lower, str.upper])
@pytest.mark.parametrize("start", [b"", b"\x07", b"\x01\x02\x03\x04"])
def test_a_path_inside_a_blob_is_hidden(start: bytes, case: type[str]) -> None:
    wide = start + f"{PROFILE.format('anna')}\0".encode("utf-16-le")
    text = case(wide.hex())
    new = hidden(text, PROFILE.format("anna"))
    assert bytes.fromhex(new) == start + f"{PROFILE.format('user-01')}\0".encode("utf-16-le")
    assert case(new) == new


def test_text_with_dots_between_is_hidden() -> None:
    shown = "".join(f"{char}." for char in "\\users\\anna\\x.exe") + ".."
    assert hidden(f"<asString>{shown}</asString>", PROFILE.format("anna")) == (
        "<asString>" + "".join(f"{char}." for char in "\\users\\user-01\\x.exe") + "..</asString>"
    )


def test_a_hash_and_a_guid_are_no_blobs() -> None:
    text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 {11111111-2222-3333-4444-555555555555}"
    assert hidden(text, PROFILE.format("anna")) == text


# ------------------------------------------------------------------------------------------------ the result


def redacted(result: Analysis, **choice: bool) -> tuple[Analysis, redaction.Key]:
    return redaction.redact(result, Evidence(), Choice(**choice))


def test_every_part_of_the_result_is_reached() -> None:
    plain = analysis()
    condition = Condition("IP_LOCAL_ADDRESS", "EQUAL", "10.1.2.3", "0x0a010203", "local address is 10.1.2.3")
    reference = dataclasses.replace(plain.verdicts[0].filter, name="rule of anna for HOST-A")
    cited = CitedFilter(reference, "HOST-A.xml", (), (condition,), None, None, "", 0, 0, 0)
    events = event_frame(3)
    events["application"] = pd.Series([PROFILE.format("anna")] * 3, dtype="category")
    events["reasons"] = pd.Series([("HOST-A said so",)] * 3, dtype=object)
    problem = dataclasses.replace(plain.problems[0], input="HOST-A.xml", what="10.1.2.3 of anna")
    result = dataclasses.replace(
        plain,
        events=events,
        cited=(cited,),
        problems=(problem,),
        inputs=tuple(dataclasses.replace(item, computer="HOST-A") for item in plain.inputs),
        selection=Selected("computer HOST-A", 3, 3, "selected: computer HOST-A"),
        command=("report", "/cases/HOST-A.xml", "--user", "bob", "--computer=HOST-A", "--remote-address", "10.9.9.9"),
    )
    given = Evidence(services=[pd.DataFrame({"computer": pd.Series(["HOST-A"], dtype="str")})])
    out, key = redaction.redact(result, given, Choice())
    assert "HOST-A" not in repr(out) + out.events.to_csv()
    assert "anna" not in repr(out) + out.events.to_csv()
    assert out.cited[0].conditions[0].raw == out.cited[0].conditions[0].value == "private-01.01"
    assert out.cited[0].conditions[0].words == "local address is private-01.01"
    assert out.problems[0] == dataclasses.replace(problem, input="host-01.xml", what="private-01.01 of user-01")
    assert set(out.events["computer"]) == {"host-01"}
    assert out.events["reasons"].iloc[0] == ("host-01 said so",)
    assert out.command == (
        *("report", "/cases/host-01.xml", "--user", "user-02", "--computer=host-01"),
        *("--remote-address", "private-02.01"),
    )
    assert (key["hosts"], key["users"]) == ({"host-01": ["HOST-A"]}, {"user-01": ["anna"], "user-02": ["bob"]})
    assert result.cited[0].conditions[0].raw == "0x0a010203"  # the result that it was made from is as it was


def test_symbols_of_the_platform_stay_whatever_users_are_called() -> None:
    plain = analysis()
    events = event_frame(3)
    events["application"] = pd.Series([PROFILE.format("transport"), PROFILE.format("ale"), None], dtype="category")
    verdict = dataclasses.replace(plain.verdicts[0], layer="INBOUND_TRANSPORT_V4")
    out, _ = redacted(dataclasses.replace(plain, events=events, verdicts=(verdict,)))
    assert out.verdicts[0].layer == "INBOUND_TRANSPORT_V4"
    assert set(out.events["layer"]) == {"ALE_AUTH_CONNECT_V4"}
    assert PROFILE.format("user-01") in set(out.events["application"])


def test_a_user_who_is_asked_for_is_hidden_in_what_is_said_of_that() -> None:
    asked = Selected("user bob, computer PC", 0, 3, "selected: user bob, computer PC; of 3 events 0 fit")
    command = ("events", "x", "--user", "bob", "--computer=PC")
    out, _ = redacted(dataclasses.replace(analysis(), selection=asked, command=command))
    assert out.selection.words == "user user-01, computer host-01"
    assert out.selection.sentence == "selected: user user-01, computer host-01; of 3 events 0 fit"
    assert out.command == ("events", "x", "--user", "user-01", "--computer=host-01")


def test_inputs_keep_names_of_their_own() -> None:
    plain = analysis()
    names = ("WS-1.evtx", "ws-1.corp.example.evtx")
    inputs = tuple(
        dataclasses.replace(item, name=name, computer="WS-1.corp.example")
        for item, name in zip(plain.inputs, names, strict=True)
    )
    problems = tuple(dataclasses.replace(plain.problems[0], input=name) for name in names)
    given = Evidence(services=[pd.DataFrame({"computer": pd.Series(["WS-1.corp.example"], dtype="str")})])
    out, _ = redaction.redact(dataclasses.replace(plain, inputs=inputs, problems=problems), given, Choice())
    assert [item.name for item in out.inputs] == ["host-01.evtx", "host-01.evtx (2)"]
    assert [item.input for item in out.problems] == ["host-01.evtx", "host-01.evtx (2)"]


def test_the_result_says_that_it_is_redacted() -> None:
    assert "and addresses are replaced" in redacted(analysis())[0].redaction.sentence
    kept = redacted(analysis(), private=False)[0].redaction.sentence
    assert kept.endswith("public addresses are replaced by labels; private addresses are as recorded")
    assert "addresses are replaced" not in redacted(analysis(), private=False, public=False)[0].redaction.sentence


def test_a_hundred_thousand_names_end_soon() -> None:
    texts = [PROFILE.format(f"person{n:06d}") for n in range(100_000)]
    texts += [PROFILE.format("a" * n) for n in range(1, 250)]
    begin = time.perf_counter()
    known = redactor(*texts)
    assert known.text(texts[99_999]) != texts[99_999]
    assert known.text(texts[-1]) != texts[-1]
    assert time.perf_counter() - begin < 120  # measured: 8 s; the bar only catches work that grows with its square


@pytest.mark.parametrize(
    "text",
    [
        "a." * 200_000,
        "0" * 400_000,
        "ab:" * 150_000,
        "\\users\\" * 60_000,
        "10." * 130_000,
        "S-1-5-21-" + "1-" * 200_000,
        "x@" * 200_000,
        "a-" * 200_000,
    ],
)
def test_hostile_texts_end_soon(text: str) -> None:
    known = redactor("x", hosts=("ws-1.corp.example",), accounts=("CORP\\anna",))
    begin = time.perf_counter()
    known.text(text)
    assert time.perf_counter() - begin < 20


def test_the_xml_of_a_filter_hides_names_however_they_are_written() -> None:
    xml = (
        "<item><name>R&amp;D-Petrel</name><data>5a00</data><asString>q.u.i.l.l</asString><filterCondition><item>"
        "<fieldKey>FWPM_CONDITION_IP_REMOTE_ADDRESS</fieldKey><conditionValue><uint32>169869077</uint32>"
        "</conditionValue></item><item><fieldKey>FWPM_CONDITION_IP_REMOTE_PORT</fieldKey><conditionValue>"
        "<uint16>443</uint16></conditionValue></item></filterCondition></item>"
    )
    new = filterxml.rewrite(xml, lambda text: text.replace("R&D-Petrel", "host-01 <x>"))
    assert "<name>host-01 &lt;x&gt;</name>" in new
    assert "<asString>hidden</asString>" in new
    assert "169869077" not in new
    assert "<uint16>443</uint16>" in new
    assert list(filterxml.texts("<a><b>x &lt; y</b> <c/></a>")) == ["x < y"]
