// Whether the service answers. Once it does not, it is asked until it does again.

const RETRY_MILLISECONDS = 1500;

class Connection extends EventTarget {
  isLost = false;

  lose() {
    if (this.isLost) return;
    this.isLost = true;
    this.dispatchEvent(new Event("lost"));
    this.#probe();
  }

  find() {
    if (!this.isLost) return;
    this.isLost = false;
    this.dispatchEvent(new Event("found"));
  }

  // Asks at once whether the service is there.
  async check() {
    try {
      const { ok } = await fetch("health/live", { cache: "no-store" });
      if (ok) this.find();
      else this.lose();
    } catch {
      this.lose();
    }
  }

  #probe() {
    setTimeout(async () => {
      await this.check();
      if (this.isLost) this.#probe();
    }, RETRY_MILLISECONDS);
  }
}

export const connection = new Connection();
