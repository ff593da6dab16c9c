"""What `status`, `up` and `run` show of a running platform."""

from __future__ import annotations

from deploy.local.platform import Platform

DEMO = """
Demo accounts (local runs only), password onehall-demo:
  citizen, citizen2    citizens
  clerk                at the hall's counter
  officer              department civil-affairs
  officer2             department market-regulation
  officer3, officer4   departments medical-insurance, human-resources
  clerk2, officer5     the same as clerk and officer, at a hall in Chengdu
  supervisor           of the officers of civil-affairs, told what is escalated
  operator, auditor    the platform's own staff
"""


def addresses(platform: Platform) -> str:
    base = platform.environment["ONEHALL_BASE_URL"]
    lines = {
        "Pages": f"{base}/",
        "API": f"{base}/api/v1/  (described at {base}/api/openapi.json)",
        "Sign-in": f"{base}/.well-known/openid-configuration",
        "Mail": f"{platform.state.mail}/new",
        "SMS": f"{platform.state.sms}",
        "Logs": f"{platform.state.log}/*.log",
        "Settings": str(platform.state.environment),
    }
    told = "".join(f"  {name:<10}{value}\n" for name, value in lines.items())
    return f"\nOneHall is running.\n\n{told}"


def table(platform: Platform) -> tuple[str, bool]:
    """A row for each process, and whether all are healthy."""
    states = platform.states()
    rows = [f"{'process':<18}{'state':<10}{'pid':>8}{'port':>7}  health"]
    all_healthy = True
    for program in platform.programs:
        info = states[program.name]
        healthy = platform.is_ready(program)
        all_healthy = all_healthy and healthy
        pid = info["pid"] or "-"
        health = "healthy" if healthy else f"NOT HEALTHY, read {platform.state.log / program.name}.log"
        rows.append(f"{program.name:<18}{info['statename'].lower():<10}{pid:>8}{program.port:>7}  {health}")
    return "\n".join(rows), all_healthy
