"""Service SIDs, well-known SIDs and security descriptors."""

import pytest

from analyzer.wfp import sddl, services, sids

VECTORS = {  # REFERENCE 5.1
    "BITS": "S-1-5-80-864916184-135290571-3087830041-1716922880-4237303741",
    "CryptSvc": "S-1-5-80-242729624-280608522-2219052887-3187409060-2225943459",
    "wuauserv": "S-1-5-80-1014140700-3308905587-3330345912-272242898-93311788",
    "wlidsvc": "S-1-5-80-2952724807-2252311773-3412998076-2712868122-780978283",
    "DoSvc": "S-1-5-80-3055155277-3816794035-3994065555-2874236192-2193176987",
    "Dnscache": "S-1-5-80-859482183-879914841-863379149-1145462774-2388618682",
    "UsoSvc": "S-1-5-80-223807737-1693445485-119162242-1977420160-1403034029",
    "WaaSMedicSvc": "S-1-5-80-2169053098-454685327-3448947123-3791923320-414336915",
}


@pytest.mark.parametrize(("name", "sid"), VECTORS.items())
def test_service_sid(name, sid):
    assert services.service_sid(name) == sid
    assert services.service_sid(name.lower()) == sid
    assert services.service_name(sid) == name
    assert sids.sid_words(sid) == f"service {name}"


def test_every_listed_name_gives_the_sid_of_the_reference(shared):
    rows = (shared.parent / "domain" / "service-names.txt").read_text(encoding="utf-8").splitlines()
    listed = {row.split("\t")[0]: row.split("\t")[1] for row in rows if row and not row.startswith("#")}
    assert set(services.service_names()) == set(listed)
    assert {name: services.service_sid(name) for name in listed} == listed


def test_a_sid_that_no_known_name_gives():
    assert services.service_name("S-1-5-80-1-2-3-4-5") is None
    assert sids.sid_words("S-1-5-80-1-2-3-4-5") == "a service whose name is not known (S-1-5-80-1-2-3-4-5)"
    assert sids.sid_words(services.ALL_SERVICES_SID) == "all services"
    assert not sids.is_service_sid(services.ALL_SERVICES_SID)


def test_per_user_services():
    assert services.template_name("WpnUserService_1a2b3") == "WpnUserService"
    assert services.template_name("WpnUserService") == "WpnUserService"
    assert services.template_name("clr_optimization_v4.0.30319_64") == "clr_optimization_v4.0.30319_64"
    assert services.service_sid("WpnUserService_1a2b3") != services.service_sid("WpnUserService")


def test_services_known_for_trouble():
    seed = {s.name: s.ports for s in services.SERVICES_KNOWN_FOR_TROUBLE if s.evidence == "seed"}
    assert seed == {"CryptSvc": (80, 443), "wlidsvc": (443,), "wuauserv": (443,), "BITS": (80, 443)}
    reports = {s.name for s in services.SERVICES_KNOWN_FOR_TROUBLE if s.evidence == "report"}
    assert reports == {"DoSvc", "DsmSvc", "WpnService", "UsoSvc"}
    bits = services.trouble_service("bits")
    assert bits is not None
    assert bits.remedy_sids == (sids.INTERACTIVE, sids.SYSTEM)
    assert not any(services.is_hardened(name) for name in seed)  # REFERENCE 5.3: their problem is not hardening


def test_hardened_services():
    assert services.is_hardened("mpssvc")
    assert services.is_hardened("VMICHEARTBEAT")
    assert services.is_hardened("clr_optimization_v4.0.30319_64")
    assert not services.is_hardened("Dnscache")


@pytest.mark.parametrize(
    ("sid", "family", "words"),
    [
        ("S-1-5-18", "well-known", "SYSTEM"),
        ("iu", "well-known", "interactive users"),
        ("BA", "well-known", "Administrators"),
        ("LA", "user", "the built-in administrator account"),
        ("S-1-5-21-1-2-3-1001", "user", "account S-1-5-21-1-2-3-1001"),
        ("S-1-15-2-1-2-3-4-5-6-7", "package", "app package S-1-15-2-1-2-3-4-5-6-7"),
        ("S-1-15-3-1", "capability", "capability internetClient"),
        ("AC", "package", "all app packages"),
        ("S-1-0-0", "well-known", "nobody (null SID)"),
        ("S-1-99-1", "other", "S-1-99-1"),
    ],
)
def test_sids(sid, family, words):
    assert sids.sid_family(sid) == family
    assert sids.sid_words(sid) == words


def test_a_service_rules_descriptor():
    text = f"O:SYG:SYD:(A;;CCRC;;;{VECTORS['BITS']})"
    sd = sddl.read_sddl(text)
    assert (sd.owner, sd.group, sd.complete) == ("S-1-5-18", "S-1-5-18", True)
    assert sddl.allowed_sids(text) == (VECTORS["BITS"],)
    assert sddl.service_sids(sd) == (VECTORS["BITS"],)
    assert sddl.sd_words(text) == "service BITS"


def test_a_hardening_descriptor_with_a_sacl():
    text = f"D:(A;NP;CC;;;{VECTORS['BITS']})(A;NP;CC;;;{VECTORS['DoSvc']})S:NO_ACCESS_CONTROL"
    assert sddl.service_sids(text) == (VECTORS["BITS"], VECTORS["DoSvc"])
    assert sddl.read_sddl(text).sacl_flags == "NO_ACCESS_CONTROL"
    assert sddl.read_sddl(text).complete


def test_owner_given_as_a_full_sid():
    sd = sddl.read_sddl("O:S-1-5-18G:S-1-5-32-544D:(A;;CC;;;WD)")
    assert (sd.owner, sd.group) == ("S-1-5-18", "S-1-5-32-544")
    assert sddl.allowed_sids(sd) == ("S-1-1-0",)
    assert sd.complete


@pytest.mark.parametrize(
    ("rights", "granted"),
    [
        ("CC", True),
        ("CCRC", True),
        ("RC", False),
        ("GA", True),
        ("GR", False),
        ("0x1", True),
        ("0x20000", False),
        ("0x10000000", True),
        ("1", True),
        ("FA", True),
        ("QQ", False),
        ("", False),
    ],
)
def test_which_rights_grant_a_match(rights, granted):
    assert bool(sddl.allowed_sids(f"D:(A;;{rights};;;SY)")) is granted


def test_entries_that_do_not_grant():
    text = "D:(D;;CC;;;AN)(A;IO;CC;;;BU)(A;;CC;;;IU)"
    assert sddl.allowed_sids(text) == ("S-1-5-4",)
    assert sddl.denied_sids(text) == ("S-1-5-7",)


def test_conditional_entries_keep_their_expression():
    text = 'O:LSD:(A;;CC;;;S-1-15-3-1)(XA;;CC;;;WD;(WIN://SYSAPPID Contains "Example.App_)(x"))'
    sd = sddl.read_sddl(text)
    assert sd.complete
    assert sd.dacl is not None
    assert sd.dacl[1].condition == '(WIN://SYSAPPID Contains "Example.App_)(x")'
    assert sddl.allowed_sids(sd) == ("S-1-15-3-1",)
    assert sddl.allowed_sids(sd, conditional=True) == ("S-1-15-3-1", "S-1-1-0")
    assert "Example.App" in sddl.sd_words(sd)


@pytest.mark.parametrize(
    "text",
    ["rubbish", "D:(A;;CC", "D:(A;;CC;;;ZZ)", "D:(A;;CC)", "X:(A;;CC;;;SY)", "O:", "D:(A;;0xZZ;;;SY)", "D:((((", ")("],
)
def test_what_is_not_understood_is_said(text):
    assert not sddl.read_sddl(text).complete


def test_no_list_at_all():
    assert sddl.read_sddl("").dacl is None
    assert sddl.read_sddl("D:NO_ACCESS_CONTROL").dacl is None
    assert sddl.sd_words("D:NO_ACCESS_CONTROL") == "everybody"
    assert sddl.sd_words("D:") == "nobody"
