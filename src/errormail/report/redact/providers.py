"""
The published forms of keys and tokens, by provider: what stands in front, and what follows.

Each is a literal prefix and then one run of characters, or runs of fixed length: none of them can backtrack.
Sources: the providers' documentation, and what they have told GitHub's secret scanning of their tokens.
"""

from __future__ import annotations

import re

__all__ = ["may_hold_key", "redact_keys"]

_LETTERS = "[A-Za-z0-9]"
_WORD = "[A-Za-z0-9_-]"
_HEX = "[0-9a-f]"
_END = "(?![A-Za-z0-9])"
_DIGIT = "(?=[A-Za-z_-]{0,60}[0-9])"
"""Somewhere near: names of packages and of styles begin like these keys, too."""

KEYS = (
    # JSON Web Token, signed or encrypted; also what Kubernetes, Supabase and many others give out
    rf"eyJ{_WORD}{{13,}}\.{_WORD}{{5,}}(?:\.{_WORD}*){{0,3}}",
    # Amazon Web Services
    rf"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{{16}}{_END}",
    r"ABSK[A-Za-z0-9+/]{100,}={0,2}",
    # Google
    rf"AIza{_WORD}{{30,}}|ya29\.{_WORD}{{16,}}|GOCSPX-{_WORD}{{20,}}|1//0{_WORD}{{30,}}",
    # Microsoft Azure: client secret, keys of storage accounts and of most services
    r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}|[A-Za-z0-9+/]{86}==",
    # GitHub, GitLab, Bitbucket and other Atlassian
    r"gh[pousr]_[A-Za-z0-9_]{30,}|github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:pat|oas|dt|rtr?|cbt|ptt|ft|soat|imt|agent|wt|ffct)-[A-Za-z0-9_.-]{16,}",
    r"AT(?:ATT3|CTT3|BB)[A-Za-z0-9_=-]{24,}",
    # Slack
    r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{12,}",
    # Discord, Telegram, Twitch
    rf"[MNO](?=[A-Za-z_-]{{0,22}}[0-9])[A-Za-z0-9_-]{{23,27}}\.{_WORD}{{6}}\.{_WORD}{{27,}}|mfa\.{_WORD}{{80,}}",
    rf"(?:bot)?[0-9]{{8,10}}:AA{_WORD}{{32,34}}(?!{_WORD})|oauth:[a-z0-9]{{30}}{_END}",
    # Stripe, Square, PayPal's Braintree, Razorpay, Adyen, Plaid, Flutterwave, Shippo, EasyPost, Duffel
    rf"(?:sk|rk|pk)_(?:live|test)_{_LETTERS}{{10,}}|whsec_[A-Za-z0-9+/=]{{16,}}",
    rf"sq0[a-z]{{3}}-{_WORD}{{20,}}|EAAA{_WORD}{{56,}}",
    rf"access_token\$(?:production|sandbox)\$[0-9a-z]{{16}}\${_HEX}{{32}}|rzp_(?:live|test)_{_LETTERS}{{14,}}",
    r"AQE[A-Za-z0-9+/]{60,}={0,2}|access-(?:sandbox|development|production)-[0-9a-f-]{36}",
    rf"FLWSECK(?:_TEST)?-{_LETTERS}{{12,}}|shippo_(?:live|test)_{_HEX}{{40}}|EZ[AT]K{_LETTERS}{{54}}|duffel_(?:test|live)_{_WORD}{{43}}",
    # Twilio, SendGrid, Mailgun, Mailchimp, Brevo, Postmark has none, Resend
    rf"(?:SK|AC){_HEX}{{32}}{_END}|SG\.{_WORD}{{16,}}\.{_WORD}{{16,}}",
    rf"key-{_HEX}{{32}}{_END}|{_HEX}{{32}}-(?:{_HEX}{{8}}-{_HEX}{{8}}|us[0-9]{{1,2}}){_END}",
    rf"x(?:key|smtp)sib-{_HEX}{{64}}-{_LETTERS}{{16}}|re_[A-Za-z0-9]{{8}}_{_LETTERS}{{20,}}",
    # Registries of packages: npm, PyPI, RubyGems, crates.io, NuGet, Clojars, Docker, Artifactory
    rf"npm_{_LETTERS}{{30,}}|pypi-{_WORD}{{40,}}|rubygems_{_HEX}{{48}}|cio{_LETTERS}{{32}}{_END}|oy2[a-z0-9]{{43}}{_END}",
    rf"CLOJARS_[0-9a-z]{{60}}|dckr_[a-z]{{3}}_{_WORD}{{20,}}|AKCp{_LETTERS}{{60,}}",
    # Models: OpenAI, Anthropic, OpenRouter and others (sk-), Hugging Face, Groq, xAI, Perplexity, Replicate, LangSmith
    rf"sk-{_DIGIT}{_WORD}{{20,}}|(?:hf|api_org)_{_LETTERS}{{30,}}|gsk_{_LETTERS}{{40,}}|xai-{_LETTERS}{{60,}}",
    rf"pplx-{_LETTERS}{{40,}}|r8_{_LETTERS}{{30,}}|lsv2_[a-z]{{2}}_{_HEX}{{32}}_{_HEX}{{10}}",
    # Hosting: DigitalOcean, Heroku, Fly.io, Netlify, Vercel, PlanetScale, Supabase, Databricks, Alibaba, Scaleway, Linode has none
    rf"do[opr]_v1_{_HEX}{{40,}}|HRKU-{_WORD}{{36,}}|fo1_{_WORD}{{40,}}|fm[12][ar]?_[A-Za-z0-9+/=_-]{{60,}}|nf[pcob]_{_LETTERS}{{36,}}",
    rf"vc[pkiar]_{_LETTERS}{{24,}}|pscale_[a-z]+_[A-Za-z0-9_.-]{{30,}}|sbp_{_HEX}{{40}}|sb_secret_{_WORD}{{20,}}",
    rf"dapi{_HEX}{{32}}(?:-[0-9])?{_END}|dose{_HEX}{{32}}{_END}|LTAI{_DIGIT}{_LETTERS}{{12,30}}{_END}|SCW[A-Z0-9]{{17}}{_END}",
    rf"v1\.0-{_HEX}{{24}}-{_HEX}{{146}}",  # Cloudflare, origin CA
    # Shopify, Facebook, Dropbox, Airtable, Notion, Figma, Linear, Postman, Typeform, Contentful, Mapbox
    rf"shp(?:at|ca|pa|ss|ua|tka)_[A-Fa-f0-9]{{32}}|EAA[A-Z]{_LETTERS}{{60,}}|sl\.(?:u\.)?{_WORD}{{100,}}",
    rf"pat{_LETTERS}{{14}}\.{_HEX}{{64}}|(?:secret|ntn)_{_LETTERS}{{43,}}{_END}|fig[dou]r?_{_WORD}{{40,}}",
    rf"lin_(?:api|oauth)_{_LETTERS}{{30,}}|PMAK-{_HEX}{{24}}-{_HEX}{{34}}|tfp_{_WORD}{{40,}}|CFPAT-{_WORD}{{43}}",
    # Operations: HashiCorp, Pulumi, Doppler, Sentry, Grafana, New Relic, Datadog has none, Sonar, Buildkite, PagerDuty, 1Password
    rf"hv[sbr]\.{_WORD}{{20,}}|{_LETTERS}{{14}}\.atlasv1\.{_WORD}{{60,}}|pul-{_HEX}{{40}}|dp\.[a-z]{{2,6}}\.(?:[a-z0-9_-]{{2,35}}\.)?{_LETTERS}{{40,44}}",
    rf"sntrys_[A-Za-z0-9+/=_-]{{40,}}|sntry[uai]_{_HEX}{{64}}|glc_[A-Za-z0-9+/]{{32,}}={{0,2}}|glsa_{_LETTERS}{{32}}_[0-9A-Fa-f]{{8}}",
    rf"NR(?:AK|JS|II|RA|BR|SP)-{_WORD}{{19,}}|{_HEX}{{36,40}}NRAL|sq[apu]_{_HEX}{{40}}|bk[a-z]{{2}}_{_HEX}{{40}}|ops_eyJ{_WORD}{{50,}}",
    # age, WireGuard has none
    r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
)
"""Regular expressions. `_WORD` counts "-" and "_", `_LETTERS` does not."""

_KEY = "|".join(KEYS)
_PLAIN = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_KEY})")
# What an escape leaves in front: \nghp_..., %20ghp_..., \u0022ghp_...
_ESCAPED = re.compile(
    r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtvfb])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
    rf"(?:{_KEY})"
)
_RUN_CHARS = 14
"""The shortest key has 15 characters."""
_RUN = re.compile(rf"[A-Za-z0-9_+/=.~$:-]{{{_RUN_CHARS}}}")
_AWS_ID = re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")
_AWS_SECRET = re.compile(
    r"(?<![A-Za-z0-9/+=])(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)


def may_hold_key(text: str) -> bool:
    """Return whether there is a key in *text*: only words with a long run of characters are looked at."""
    pattern = _ESCAPED if "\\" in text or "%" in text else _PLAIN
    for word in text.split():
        if len(word) >= _RUN_CHARS and _RUN.search(word) and pattern.search(word):
            return True
    return False


def redact_keys(text: str, token: str) -> str:
    """Return *text* with *token* in place of each key of a published form."""
    if not may_hold_key(text):
        return text
    has_aws = ("AKIA" in text or "ASIA" in text) and _AWS_ID.search(text)
    text = (_ESCAPED if "\\" in text or "%" in text else _PLAIN).sub(token, text)
    # Amazon's has no form of its own, and stands beside its id. Last: it would take parts of others, as of a JWT.
    return _AWS_SECRET.sub(token, text) if has_aws else text
