// Tracks whether the service is reachable. While it is not, polls it until it responds.

const RETRY_DELAY_MS = 1500;

class Connection extends EventTarget {
  isOffline = false;

  markOffline() {
    if (this.isOffline) return;
    this.isOffline = true;
    this.dispatchEvent(new Event("offline"));
    this.#scheduleCheck();
  }

  markOnline() {
    if (!this.isOffline) return;
    this.isOffline = false;
    this.dispatchEvent(new Event("online"));
  }

  async check() {
    try {
      const { ok } = await fetch("health/live", { cache: "no-store" });
      if (ok) this.markOnline();
      else this.markOffline();
    } catch {
      this.markOffline();
    }
  }

  #scheduleCheck() {
    setTimeout(async () => {
      await this.check();
      if (this.isOffline) this.#scheduleCheck();
    }, RETRY_DELAY_MS);
  }
}

export const connection = new Connection();
