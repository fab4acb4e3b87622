"""Web addresses of others: to the public internet and nowhere else, now and when connecting."""

import socket

import pytest
from pydantic import BaseModel, ValidationError

from chalicelib.config import settings
from chalicelib.edge import addresses
from chalicelib.edge.addresses import UnsafeAddress
from chalicelib.edge.schemas import PublicUrl

GOOD = {
    "https://shop.example.ma/thanks": "https://shop.example.ma/thanks",
    "https://shop.example.ma": "https://shop.example.ma/",
    "https://shop.example.ma/": "https://shop.example.ma/",
    "https://shop.example.ma?order=1": "https://shop.example.ma/?order=1",
    "https://shop.example.ma#done": "https://shop.example.ma/#done",
    "https://shop.example.ma:443/thanks": "https://shop.example.ma:443/thanks",
    "HTTPS://Shop.Example.MA/Thanks": "https://shop.example.ma/Thanks",
    "https://example.com/a/b/../c": "https://example.com/a/b/../c",
    "https://example.com/a?b=c&d=%C3%A9#e": "https://example.com/a?b=c&d=%C3%A9#e",
    "https://example.com/?to=https://10.0.0.1/": "https://example.com/?to=https://10.0.0.1/",
    "https://example.com/@user:x": "https://example.com/@user:x",
    "https://1.2.3.4.example.com/": "https://1.2.3.4.example.com/",
    "https://3.example.com/": "https://3.example.com/",
    "https://xn--fs-bja.example.ma/": "https://xn--fs-bja.example.ma/",
    "https://xn--mgbc0a9azcg/": None,  # a top-level domain alone
    "https://souk.xn--mgbc0a9azcg/": "https://souk.xn--mgbc0a9azcg/",
    "https://branch--site.example.app/": "https://branch--site.example.app/",
    "https://a.co/": "https://a.co/",
    "https://local.example.com/": "https://local.example.com/",
    "https://localhost.example.com/": "https://localhost.example.com/",
    "https://" + "a" * 63 + ".example.com/": "https://" + "a" * 63 + ".example.com/",
    "https://hooks.example.co.uk/v1;a=1/(x)!$'*+,": "https://hooks.example.co.uk/v1;a=1/(x)!$'*+,",
}
BAD = [
    # Not https
    "", " ", "shop.example.ma", "//shop.example.ma/", "/thanks", "http://shop.example.ma/",
    "ftp://shop.example.ma/", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x",
    "gopher://shop.example.ma/", "https:shop.example.ma", "https:/shop.example.ma",
    "https:///shop.example.ma", "https://", "https:///", "httpss://shop.example.ma/",
    # Who, and at which port
    "https://user@shop.example.ma/", "https://user:pass@shop.example.ma/", "https://@shop.example.ma/",
    "https://shop.example.ma@10.0.0.1/", "https://shop.example.ma:pass@10.0.0.1/",
    "https://shop.example.ma:80/", "https://shop.example.ma:8443/", "https://shop.example.ma:0/",
    "https://shop.example.ma:0443/", "https://shop.example.ma:/", "https://shop.example.ma:x/",
    "https://shop.example.ma:443:443/", "https://shop.example.ma:99999/", "https://a.ma:٤٤٣/",
    # Addresses in numbers, in every form
    "https://127.0.0.1/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/", "https://100.100.100.200/", "https://100.64.0.1/",
    "https://0.0.0.0/", "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/",
    "https://8.8.8.8/", "https://2130706433/", "https://017700000001/", "https://0x7f000001/",
    "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.1/", "https://127.0.1/",
    "https://0/", "https://0x/", "https://1.2.3.0x4/", "https://1.2.3.4.5/", "https://a.ma.127/",
    "https://127.0.0.1./", "https://127.0.0.1:443/", "https://[::1]/", "https://[::]/",
    "https://[fd00:ec2::254]/", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/",
    "https://[2002:a00:1::]/", "https://[64:ff9b::a00:1]/", "https://[2606:4700::1111]/",
    "https://[fe80::1%25eth0]/", "https://١٢٧.٠.٠.١/", "https://１２７.0.0.1/", "https://①.②.③.④/",
    # Names that lead inside
    "https://localhost/", "https://LOCALHOST/", "https://shop.localhost/", "https://printer.local/",
    "https://metadata.google.internal/", "https://ip-10-0-0-1.eu-west-3.compute.internal/",
    "https://router.lan/", "https://wiki.corp/", "https://nas.home/", "https://nas.home.arpa/",
    "https://1.0.0.127.in-addr.arpa/", "https://db.test/", "https://x.invalid/", "https://x.onion/",
    "https://kubernetes.default.svc/", "https://intranet/", "https://instance-data/",
    "https://localhost.localdomain/",
    # Names that are none
    "https://shop.example.ma./", "https://localhost./", "https://.example.ma/", "https://a..ma/",
    "https://-a.example.ma/", "https://a-.example.ma/", "https://a_b.example.ma/",
    "https://" + "a" * 64 + ".example.ma/", "https://" + "a." * 127 + "example.ma/",
    "https://%31%32%37.0.0.1/", "https://shop%2eexample.ma/", "https://shop.example.ma%00/",
    "https://fès.example.ma/", "https://shop。example.ma/", "https://ｓhop.example.ma/",
    "https://ⓢhop.example.ma/", "https://shop\u200b.example.ma/", "https://shop\u00ad.example.ma/",
    "https://xn--/", "https://xn--a.example.ma/", "https://xn--a-.example.ma/",
    "https://xn--\u00e9.ma/", "https://xn--a-ecp.ru.xn--0.ma/", "https://xn--shop-example-ma/",
    # What one reader sees otherwise than another
    "https://shop.example.ma\\@10.0.0.1/", "https://10.0.0.1\\.shop.example.ma/",
    "https:\\\\shop.example.ma/", "https://shop.example.ma\t/", "https://shop.exa\nmple.ma/",
    "https://shop.example.ma/\r\nSet-Cookie: a=b", "https://shop.example.ma/\x00", " https://a.ma/",
    "https://a.ma/ ", "https://a.ma/\n", "https://shop.example.ma/a b", "https://a.ma/%zz",
    "https://shop.example.ma/é", "https://shop.example.ma/<script>", 'https://a.ma/"', "https://a.ma/\\",
    "https://a.ma/\u202e", "https://a.ma/" + "x" * 2000, "h\u200bttps://a.ma/", "ｈttps://a.ma/",
]  # fmt: skip
INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "0.0.0.0",
    "0.1.2.3", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1", "168.63.129.16", "::", "::1",
    "fd00:ec2::254", "fc00::1", "fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:8.8.8.8",
    "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:a00:1::1",
    "2002:808:808::1", "2001::1", "2001:db8::1", "3fff::1", "100::1", "fec0::1", "", "nonsense",
    "127.1", "0x7f.0.0.1", "8.8.8.8.8", "1.1.1.1 ",
]  # fmt: skip
OUTSIDE = [
    "8.8.8.8", "1.1.1.1", "105.158.0.1", "41.248.0.1", "196.200.0.1", "100.128.0.1", "172.32.0.1",
    "2606:4700:4700::1111", "2a00:1450:4007::200e", "2001:4860:4860::8888", "2c0f:fc00::1",
]  # fmt: skip


class TestWritten:
    @pytest.mark.parametrize("url", [url for url, read in GOOD.items() if read])
    def test_an_address_of_the_public_internet_is_read_in_one_spelling(self, url):
        assert addresses.check_public_url(url) == GOOD[url]
        assert addresses.check_public_url(GOOD[url]) == GOOD[url]

    @pytest.mark.parametrize(
        "url", BAD + [url for url, read in GOOD.items() if not read], ids=ascii
    )
    def test_anything_else_is_refused(self, url):
        with pytest.raises(UnsafeAddress) as refused:
            addresses.check_public_url(url)
        assert refused.value.code == "unsafe_address"
        assert "example" not in refused.value.detail  # nothing of it is repeated

    def test_there_are_many_of_both(self):
        assert (len(BAD) > 60, len(GOOD) > 20) == (True, True)

    @pytest.mark.parametrize("stage", ["local", "test"])
    def test_in_the_local_stages_our_own_machine_is_good_too(self, monkeypatch, stage):
        monkeypatch.setenv("MAALEM_STAGE", stage)
        for url in ("http://127.0.0.1:3000/done", "http://127.0.0.1/", "http://127.0.0.1:65535/"):
            assert addresses.check_public_url(url) == url
        for url in (
            "http://localhost:3000/",
            "http://127.0.0.2:3000/",
            "http://10.0.0.1:3000/",
            "https://127.0.0.1:3000/",
            "http://127.0.0.1:65536/",
            "http://0.0.0.0/",
        ):
            with pytest.raises(UnsafeAddress):
                addresses.check_public_url(url)

    def test_on_aws_it_is_not(self, deployed):
        for url in ("http://127.0.0.1:3000/done", "http://127.0.0.1/"):
            with pytest.raises(UnsafeAddress):
                addresses.check_public_url(url)
        with pytest.raises(UnsafeAddress):
            addresses.resolve_public("127.0.0.1", lambda host: [host])


@pytest.fixture
def deployed(monkeypatch):
    """As on AWS; only the stage counts here."""
    local = settings()
    monkeypatch.setattr(addresses, "settings", lambda: type(local)(stage="production"))


class TestResolved:
    @pytest.mark.parametrize("address", OUTSIDE)
    def test_a_host_that_leads_outside_is_connected_to(self, address):
        assert addresses.is_public(address)
        assert addresses.resolve_public("hooks.example.ma", lambda host: [address]) == [address]

    @pytest.mark.parametrize("address", INSIDE)
    def test_a_name_that_was_bound_anew_cannot_reach_inside(self, address):
        assert not addresses.is_public(address)
        for found in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
            with pytest.raises(UnsafeAddress):
                addresses.resolve_public("hooks.example.ma", lambda host, found=found: found)

    def test_a_name_without_an_address_is_refused(self):
        with pytest.raises(UnsafeAddress):
            addresses.resolve_public("hooks.example.ma", lambda host: [])

    @pytest.mark.parametrize(
        "host", ["localhost", "8.8.8.8", "a.internal", "a.ma.", "intranet", ""]
    )
    def test_a_host_that_was_never_good_is_not_asked_for(self, host):
        with pytest.raises(UnsafeAddress):
            addresses.resolve_public(host, pytest.fail)

    def test_a_look_up_that_fails_is_nobodys_fault(self):
        def fails(host):
            raise socket.gaierror("no answer")

        with pytest.raises(OSError, match="no answer"):
            addresses.resolve_public("hooks.example.ma", fails)

    def test_the_systems_own_resolver_is_asked_once(self, monkeypatch):
        asked = []

        def getaddrinfo(host, port, **options):
            asked.append((host, port))
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("8.8.8.8", 443)), (*kind, ("1.1.1.1", 443)), (*kind, ("8.8.8.8", 443))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        assert addresses.resolve_public("Hooks.Example.MA") == ["8.8.8.8", "1.1.1.1"]
        assert asked == [("hooks.example.ma", 443)]


class TestField:
    class Body(BaseModel):
        return_url: PublicUrl

    def test_a_good_one_is_kept_in_one_spelling(self):
        assert self.Body(return_url="HTTPS://A.ma?x").return_url == "https://a.ma/?x"

    @pytest.mark.parametrize("url", ["http://a.ma/", "https://10.0.0.1/", "{type}", "javascript:1"])
    def test_a_bad_one_is_a_wrong_field(self, url):
        with pytest.raises(ValidationError) as refused:
            self.Body(return_url=url)
        [error] = refused.value.errors()
        assert (error["type"], error["loc"]) == ("unsafe_address", ("return_url",))

    def test_the_document_says_that_it_is_an_address(self):
        [field] = self.Body.model_json_schema()["properties"].values()
        assert (field["format"], field["maxLength"]) == ("uri", 2000)
