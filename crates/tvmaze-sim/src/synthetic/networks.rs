use fastrand::Rng;

use super::countries::{
    CANADA, CHINA, GERMANY, JAPAN, KOREA, NORWAY, RUSSIA, SPAIN, UNITED_KINGDOM, UNITED_STATES,
};
use super::rng::choose;
use crate::payload::{Channel, Country};

/// The network and the web channel of a show: usually one of the two, rarely both, at least one.
pub(super) fn channels(rng: &mut Rng) -> (Option<&'static Channel>, Option<&'static Channel>) {
    let network = choose(rng, NETWORKS);
    let web_channel = choose(rng, WEB_CHANNELS);
    match rng.u32(..1_000) {
        0..550 => (Some(network), None),
        550..577 => (Some(network), Some(web_channel)),
        _ => (None, Some(web_channel)),
    }
}

const fn network(
    id: u32,
    name: &'static str,
    country: Country,
    official_site: Option<&'static str>,
) -> Channel {
    Channel { id, name, country: Some(country), official_site }
}

const fn web(
    id: u32,
    name: &'static str,
    country: Option<Country>,
    official_site: Option<&'static str>,
) -> Channel {
    Channel { id, name, country, official_site }
}

static NETWORKS: &[Channel] = &[
    network(1, "Meridian", UNITED_STATES, Some("https://www.meridian.example/")),
    network(2, "Harbor 9", UNITED_STATES, Some("https://www.harbor9.example/")),
    network(3, "Union Television", UNITED_STATES, Some("https://www.uniontelevision.example/")),
    network(4, "The Prairie Channel", UNITED_STATES, None),
    network(5, "Lantern", UNITED_STATES, Some("https://lantern.example")),
    network(6, "Albion One", UNITED_KINGDOM, Some("https://www.albion.example/one")),
    network(7, "Albion Two", UNITED_KINGDOM, Some("https://www.albion.example/two")),
    network(8, "Maple TV", CANADA, Some("https://www.mapletv.example/")),
    network(9, "长江卫视", CHINA, None),
    network(10, "Kita TV", JAPAN, Some("https://www.kita-tv.example/")),
    network(11, "Hangang 5", KOREA, Some("https://www.hangang5.example/")),
    network(12, "Канал Восток", RUSSIA, None),
    network(13, "NordTV", NORWAY, Some("https://nordtv.example/")),
    network(14, "Erste Welle", GERMANY, Some("https://www.erstewelle.example/")),
    network(15, "Canal Sureño", SPAIN, Some("https://www.canalsureno.example/")),
];

/// A web channel without a country is available worldwide.
static WEB_CHANNELS: &[Channel] = &[
    web(1, "Flickerbox", None, Some("https://www.flickerbox.example/")),
    web(2, "Streamhouse", None, Some("https://www.streamhouse.example/")),
    web(3, "OwnTube", None, Some("https://www.owntube.example")),
    web(4, "Northlight+", None, None),
    web(5, "Albion Player", Some(UNITED_KINGDOM), Some("https://www.albion.example/player")),
    web(6, "Harbor Now", Some(UNITED_STATES), Some("https://now.harbor9.example/")),
    web(7, "红帆视频", Some(CHINA), Some("https://www.hongfan.example/")),
    web(8, "Hangang Play", Some(KOREA), None),
    web(9, "NordTV Nett", Some(NORWAY), Some("https://nett.nordtv.example/")),
];
