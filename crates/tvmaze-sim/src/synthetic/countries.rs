use crate::payload::Country;

const fn country(name: &'static str, code: &'static str, timezone: &'static str) -> Country {
    Country { name, code, timezone }
}

pub(super) const UNITED_STATES: Country = country("United States", "US", "America/New_York");
pub(super) const UNITED_KINGDOM: Country = country("United Kingdom", "GB", "Europe/London");
pub(super) const CHINA: Country = country("China", "CN", "Asia/Shanghai");
pub(super) const JAPAN: Country = country("Japan", "JP", "Asia/Tokyo");
pub(super) const KOREA: Country = country("Korea, Republic of", "KR", "Asia/Seoul");
pub(super) const RUSSIA: Country = country("Russian Federation", "RU", "Asia/Kamchatka");
pub(super) const NORWAY: Country = country("Norway", "NO", "Europe/Oslo");
pub(super) const CANADA: Country = country("Canada", "CA", "America/Halifax");
pub(super) const GERMANY: Country = country("Germany", "DE", "Europe/Busingen");
pub(super) const SPAIN: Country = country("Spain", "ES", "Europe/Madrid");

pub(super) const COUNTRIES: &[Country] =
    &[UNITED_STATES, UNITED_KINGDOM, CANADA, CHINA, JAPAN, KOREA, RUSSIA, NORWAY, GERMANY, SPAIN];
